import { areSameRules, type OwnRules } from "../api/own-rules.ts";
import type { RunInputs } from "../api/run.ts";
import type { OutputRecord, PlanCounts, RunOutcome } from "../api/run-status.ts";
import type { HeldPlan } from "../gateway/protocol.ts";
import type { CutOff, Journal } from "./record-of-applies.ts";

/** Identity of a state: what it is called. Who owns it is in the record. */
export interface StateKey {
  readonly namespace: string;
  readonly environment: string;
  readonly component: string;
}

export const stateKeyText = (key: StateKey): string => `${key.namespace}/${key.environment}/${key.component}`;

/** Points at one immutable, encrypted value of the store. */
export interface BlobRef {
  readonly id: string;
  readonly kind: "state" | "archive" | "journal" | "recovery" | "plan";
  /** sha256 of the clear content, as `sha256:<hex>`. */
  readonly digest: string;
  /** Bytes of the clear content. */
  readonly size: number;
  /** How many chunks hold it. */
  readonly chunks: number;
  /** Bytes that the store needs for it, all chunks together. Absent where it was stored before they were counted. */
  readonly stored?: number;
}

/** A version of a state that the engine handed over. */
export interface StateVersion {
  readonly lineage: string;
  readonly serial: number;
  readonly resources: number;
  readonly blob: BlobRef;
  /** The Run that handed it over; where a person did, a name that no Run has. */
  readonly run: string;
  /** The person who stored it, where no Run did. */
  readonly by?: string;
  readonly at: string;
}

/** A person's last write of the state: what Runs recorded before it says nothing about the state any more. */
export interface WrittenByHand {
  readonly how: "Push" | "Restore";
  readonly by: string;
  readonly at: string;
  readonly serial: number;
  /** Number of the newest Run that had claimed the state before. */
  readonly after?: number;
  /** Number of the newest Run that was there already; 0 where there was none, or where Runs are numbered anew since. */
  readonly newestRun?: number;
  /** It is not what the last engine left, and neither an apply nor a destroy has ended well since. */
  readonly replaced?: true;
}

/**
 * Whether a Run was made before a person wrote the state last, or after: its number says so, whatever the clock of the replica that took it
 * said. Undefined where the version that wrote it did not note numbers.
 */
export function sideOfWriting({ written }: ComponentRecord, number: number): "before" | "after" | undefined {
  if (written?.newestRun === undefined) return undefined;
  return number <= written.newestRun ? "before" : "after";
}

/** A person's write that put something else in the place of what was there: what exists, and what its outputs are, only a plan can tell. */
export const replacingWrite = (record: ComponentRecord | undefined): WrittenByHand | undefined =>
  record?.written?.replaced === true ? record.written : undefined;

/** What a person has done to the state. */
export const writingText = ({ by, how }: WrittenByHand): string =>
  `${by.slice(0, 256)} ${how === "Push" ? "pushed" : "restored"} the state`;

/** Who may write the state now. Released by its holder, or on proof that its holder is dead. */
export interface StateLock {
  readonly id: string;
  readonly run: string;
  readonly runUid: string;
  readonly pod: string;
  readonly podUid: string;
  readonly operation: string;
  readonly since: string;
}

/** An output of another component, as it was when it was handed to a Run. */
export interface UsedOutput {
  readonly component: string;
  readonly name: string;
  /** Keyed digest of the value, as in `OutputRecord`. */
  readonly digest: string;
}

/** The one pod that may work on a Run. A second claim for the same phase is refused. */
export interface Claim {
  readonly run: string;
  readonly runUid: string;
  /** Number of the Run: a Run with a lower number can never claim again. */
  readonly number?: number;
  readonly pod?: string;
  readonly phase: "Plan" | "Apply";
  readonly podUid: string;
  readonly at: string;
  /** The archive that this attempt uploaded; it becomes that of `attempted` when the apply is allowed. */
  readonly archive?: BlobRef;
  /** Values that the work order carried: what is applied is digested with them, not with what is current by then. */
  readonly outputs?: readonly UsedOutput[];
  /** The plan that this pod made and was told to hold: its bundle is still on the way. */
  readonly planned?: HeldPlan;
  /** Set before the runner is told to apply: from then on a death without a result is an interruption. */
  readonly applying?: { readonly planDigest: string; readonly at: string };
  /** Set when the session may no longer write: its result has come, or its pod is proven dead. */
  readonly fenced?: { readonly why: string; readonly at: string };
}

/** A plan that waits for approval, with all that applying exactly it needs. */
export interface Held {
  readonly run: string;
  readonly runUid: string;
  readonly plan: HeldPlan;
  /** The plan file, and what the engine made beside the source while it planned. */
  readonly bundle: BlobRef;
  /** Source, values and lock file that it was made from; absent for a destroy, which works from what was applied. */
  readonly archive?: BlobRef;
  readonly at: string;
}

/** What was applied last, with all that destroying needs. */
export interface Applied {
  readonly desiredDigest: string;
  readonly run: string;
  readonly runUid: string;
  readonly number: number;
  readonly at: string;
  readonly revision?: string;
  readonly engine: { readonly name: "opentofu" | "terraform"; readonly version: string; readonly image: string };
  /** The intent that was applied, with references instead of secret values. */
  readonly inputs: RunInputs;
  /** Source, resolved variables and lock file of that apply, as one encrypted archive. */
  readonly archive: BlobRef;
  readonly outputs: readonly OutputRecord[];
  readonly request?: string;
}

/** What a Check has found. The same found again is the same. */
export interface RecordedDrift {
  /** When the first Check in a row found something. */
  readonly since: string;
  /** The Check that found exactly this, and its number; 0 where Runs are numbered anew since. */
  readonly run: string;
  readonly number: number;
  readonly counts: PlanCounts;
  /** The first ten that differ. */
  readonly addresses: readonly string[];
  /** Tells whether two Checks found the same. */
  readonly digest: string;
  /** Digest of the rules of `ignore` that it was found with last: with others, something else may count. Absent where an older version wrote it. */
  readonly ignoreDigest?: string;
}

/**
 * All that is known about one component's state. One record is one object of the store and changes by compare-and-swap,
 * so that lock, claim, head of the state and result can never disagree.
 */
export interface ComponentRecord {
  readonly key: StateKey;
  /** Stays the same when the component is renamed; part of the encryption's associated data. */
  readonly storageId: string;
  readonly owner: { readonly environmentUid: string };
  readonly ownership: "Owned" | "Released";
  readonly createdAt: string;
  /** Absent: no state was ever handed over. */
  readonly state?: StateVersion;
  /** Earlier versions that are kept, newest first. */
  readonly history: readonly StateVersion[];
  readonly lock?: StateLock;
  readonly claim?: Claim;
  readonly held?: Held;
  readonly applied?: Applied;
  /** UID of the Run in `applied` when the record was taken over: until a plan of the new owner has ended well. */
  readonly adoptedApply?: string;
  /**
   * True from the first apply that was allowed until a destroy has ended well: something may exist, even where no
   * apply has succeeded and the state is still empty.
   */
  readonly mayHoldObjects: boolean;
  /** Archive and inputs of an attempt that was allowed to apply and has not ended well: what destroy uses when it is newer than `applied`. */
  readonly attempted?: Omit<Applied, "outputs" | "at"> & {
    readonly at: string;
    /** It was to bring back what had drifted, or came after such an attempt that did not end well. */
    readonly correction?: true;
  };
  /** A destroy was allowed to begin, and neither that nor an apply has ended well since: `applied` no longer says what exists. */
  readonly destroyBegun?: { readonly run: string; readonly at: string };
  /**
   * Set when an apply is proven dead, or reported as interrupted; taken off when an apply has ended well, or a plan for the same declaration
   * finds nothing to do. A destroy does not reach what no state has.
   */
  readonly cutOff?: CutOff;
  /** Result of the last Run that reported one: repeated reports are recognised by it. */
  readonly lastResult?: {
    readonly runUid: string;
    readonly podUid: string;
    readonly outcome: RunOutcome;
    readonly at: string;
  };
  /** A state that could not be stored in the ordinary way and waits for a person. */
  readonly recovery?: { readonly blob: BlobRef; readonly run: string; readonly at: string };
  readonly written?: WrittenByHand;
  /** Of the last Run that applied something. */
  readonly journal?: Journal;
  /** Git credentials that the last fetch used, so that the resolver can follow a private branch; encrypted like all of it. */
  readonly sourceCredentials?: UsedLogin;
  /** What differs from `applied`, where the newest plan that looked has found something; it goes with the next apply. */
  readonly drift?: RecordedDrift;
  /**
   * The component's own rules as they were declared last. Absent where they are those of the last attempt or apply; `{}` where it had none any
   * more. Removing the declaration neither loosens them nor brings back what was lifted.
   */
  readonly declaredRules?: OwnRules;
  /** Those that its component had before, the latest last: what uses it was applied with one of them. Absent where an older version moved it. */
  readonly formerNames?: readonly string[];
  /** Set while the record moves to another name. */
  readonly movingTo?: string;
}

/** Version 0.1.0 kept neither url nor time: what it has left is lent to nobody, since the url may have changed. */
export interface UsedLogin {
  readonly username: string;
  readonly password: string;
  /** The only repository that it may be sent to. */
  readonly url?: string;
  readonly at?: string;
}

/** An apply or a destroy was allowed to begin, and none has ended well since: `applied` does not say what exists. */
export const hasBegunMore = ({ attempted, destroyBegun }: ComponentRecord): boolean =>
  attempted !== undefined || destroyBegun !== undefined;

/**
 * It was taken over, and no plan of its new owner has ended well: nobody has looked whether what the former one applied is what exists. An older
 * version leaves the mark where it is, so that one about another apply than the last means nothing.
 */
export const isOnlyAdopted = ({ adoptedApply, applied }: ComponentRecord): boolean =>
  adoptedApply !== undefined && applied?.runUid === adoptedApply;

/**
 * What was applied last is what exists, as far as anybody knows: nothing was begun since, no person has put another state in, and whoever took it
 * over has looked.
 */
export const isWhole = (record: ComponentRecord): boolean =>
  !hasBegunMore(record) && replacingWrite(record) === undefined && !isOnlyAdopted(record);

/** It was made under its name, and nothing has come of that: a plan at most. */
export const holdsNothing = ({ state, recovery, applied, mayHoldObjects }: ComponentRecord): boolean =>
  (state ?? recovery ?? applied) === undefined && !mayHoldObjects;

/** What a destroy works from. An attempt is taken off the record when it ends well, so one that is there is newer than what was applied. */
export function destroyBasisOf({ attempted, applied }: ComponentRecord): ComponentRecord["attempted"] {
  return attempted ?? applied;
}

/** The component's own rules that count once its declaration is gone: those that were declared last. */
export const lastRulesOf = (record: ComponentRecord): OwnRules =>
  record.declaredRules ?? destroyBasisOf(record)?.inputs ?? {};

/** Is it news to the record that the component is declared with these rules, and is that to be remembered? What moves is told at its new name. */
export function isToldOfRules(record: ComponentRecord, environmentUid: string, rules: OwnRules): boolean {
  const { owner, ownership, movingTo, mayHoldObjects } = record;
  const isOurs = owner.environmentUid === environmentUid && ownership === "Owned" && movingTo === undefined;
  return isOurs && mayHoldObjects && !areSameRules(rules, lastRulesOf(record));
}

/** Who alone may write a state now: by its lock, or by a claim without one, as before the engine has taken it. */
export interface Holder {
  readonly by: "lock" | "claim";
  /** Of the lock; of a claim, the UID of its pod. It names what is to be released. */
  readonly id: string;
  readonly run: string;
  readonly runUid: string;
  readonly pod: string;
  readonly podUid: string;
  readonly since: string;
}

export function holderOf({ lock, claim }: ComponentRecord): Holder | undefined {
  if (lock !== undefined) {
    const { id, run, runUid, pod, podUid, since } = lock;
    return { by: "lock", id, run, runUid, pod, podUid, since };
  }
  if (claim === undefined || claim.fenced !== undefined) return undefined;
  const { podUid, run, runUid, pod = podUid, at: since } = claim;
  return { by: "claim", id: podUid, run, runUid, pod, podUid, since };
}
