import { withSerial } from "../engine/state-serial.ts";
import { deleteBlobs, droppedBlobs } from "./blobs.ts";
import { afterConflict, type Change, without } from "./change.ts";
import { withCutOff } from "./cut-off.ts";
import { emptyRecord } from "./ownership.ts";
import { RecordConflict, type StateStore } from "./port.ts";
import {
  type BlobRef,
  type ComponentRecord,
  type Holder,
  holderOf,
  replacingWrite,
  type StateKey,
  type StateVersion,
  stateKeyText,
  type WrittenByHand,
} from "./record.ts";
import { readCopy, readKept, recoveredVersion } from "./recovery-copy.ts";
import { Refused } from "./refusal.ts";
import { retained } from "./retention.ts";
import { type IncomingState, incomingState, succeeds } from "./versions.ts";

/** Who writes a state without a Run, and when. */
export interface Hand {
  readonly by: string;
  readonly at: Date;
}

/** Which of the states that are kept. */
export type Chosen = { readonly serial: number } | { readonly digest: string } | { readonly recovery: true };

export interface WritingHand extends Hand {
  /** Number of the newest Run of the component; 0 where it has none. */
  readonly newestRun: number;
  /** A Run of it has begun to apply, and no destroy has ended well since: also where the record that told so was lost. */
  readonly begun: boolean;
  /** For a push: UID of the Environment that owns this state, where it is the first one. Absent: there must have been one before. */
  readonly firstOwner?: string;
  /** For a push: takes another lineage, a serial that is too low, and a state that is empty. Gives up a recovery copy that cannot be read as a state. */
  readonly force: boolean;
}

/**
 * Stores a state that a person brings. What was stored before stays among the versions; a recovery copy does, too. The record of a first one
 * is made with the state in it: an empty one would say that nothing exists.
 */
export async function pushState(
  store: StateStore,
  key: StateKey,
  content: Buffer,
  hand: WritingHand,
  signal?: AbortSignal,
): Promise<ComponentRecord> {
  await incomingState(content);
  return write(store, key, { ...hand, how: "Push" }, (record) => pushable(record, content, hand.force), signal);
}

/** Makes a state that is kept the newest one, with a serial above all others. */
export async function restoreState(
  store: StateStore,
  key: StateKey,
  chosen: Chosen,
  hand: WritingHand,
  signal?: AbortSignal,
): Promise<ComponentRecord> {
  const read = "recovery" in chosen ? readCopy : readKept;
  const content = async (record: ComponentRecord) => {
    const { bytes, serial, lineage } = await read(store, record, blobFor(record, chosen), signal);
    const follows = "recovery" in chosen && record.state?.lineage === lineage && serial > record.state.serial;
    return follows ? bytes : raised(bytes, highestSerial(record) + 1);
  };
  return write(store, key, { ...hand, how: "Restore", isLeftByEngine: "recovery" in chosen }, content, signal);
}

/** The blob of a version that is kept. Throws `Refused("NotFound")` and names those that are. */
export function blobFor(record: ComponentRecord, chosen: Chosen | undefined): BlobRef {
  const name = stateKeyText(record.key);
  if (chosen === undefined) {
    if (record.state !== undefined) return record.state.blob;
    throw new Refused("NotFound", `no state of ${name} was ever stored`);
  }
  if ("recovery" in chosen) {
    if (record.recovery !== undefined) return record.recovery.blob;
    throw new Refused("NotFound", `there is no recovery copy of ${name}`);
  }
  const versions = versionsOf(record);
  const isIt = ({ serial, blob }: StateVersion) =>
    "serial" in chosen ? serial === chosen.serial : blob.digest === chosen.digest;
  const found = versions.find(isIt);
  if (found !== undefined) return found.blob;
  const what = "serial" in chosen ? `serial ${chosen.serial}` : chosen.digest;
  const serials = versions.map(({ serial }) => serial).join(", ");
  throw new Refused("NotFound", `${what} of ${name} is not kept; kept are the serials ${serials || "(none)"}`);
}

/** The newest first. */
export function versionsOf({ state, history }: ComponentRecord): readonly StateVersion[] {
  return state === undefined ? history : [state, ...history];
}

const HOW_IT_ENDS = "Wait for its end, or cancel it; where that Run is gone, unlock the state";

/** Nobody else may write now. Throws `Refused` and names who does. */
export function mustBeFree({ key, lock, claim, movingTo }: ComponentRecord): void {
  const name = stateKeyText(key);
  if (lock !== undefined) {
    const holder = `Run ${lock.run} (pod ${lock.pod}) holds the lock since ${lock.since}`;
    throw new Refused("Locked", `the state of ${name} is in use: ${holder}`, lock);
  }
  if (claim !== undefined && claim.fenced === undefined) {
    const holder = `Run ${claim.run}${claim.pod === undefined ? "" : ` (pod ${claim.pod})`} works on it since ${claim.at}`;
    throw new Refused("InUse", `the state of ${name} is in use: ${holder}. ${HOW_IT_ENDS}`);
  }
  if (movingTo !== undefined) throw new Refused("Moving", `the state of ${name} is being renamed to ${movingTo}`);
}

/** The bytes to store, or undefined where they are stored already. */
async function pushable({ state }: ComponentRecord, content: Buffer, force: boolean): Promise<Buffer | undefined> {
  const incoming = await incomingState(content);
  if (state?.blob.digest === incoming.digest) return undefined;
  if (force) return state === undefined || incoming.serial > state.serial ? content : raised(content, state.serial + 1);
  succeeds(state, incoming);
  if (incoming.resources === 0 && (state?.resources ?? 0) > 0)
    throw new Refused("WouldEmpty", `the stored state has ${state?.resources} resources, and this one none: force it`);
  return content;
}

function highestSerial(record: ComponentRecord): number {
  return Math.max(0, ...versionsOf(record).map(({ serial }) => serial));
}

const raised = (content: Buffer, serial: number): Buffer => Buffer.from(withSerial(content.toString("utf8"), serial));

interface Writing extends WritingHand {
  readonly how: WrittenByHand["how"];
  /** The last engine left it, although under a lower serial: it is what exists, and nobody has to be asked what follows from it. */
  readonly isLeftByEngine?: boolean;
}

/**
 * The content is worked out for exactly the record that it then replaces: whoever changes that meanwhile wins, and all of it is done anew.
 * `contentFor` says undefined where the newest state is right as it is.
 */
async function write(
  store: StateStore,
  key: StateKey,
  writing: Writing,
  contentFor: (record: ComponentRecord) => Promise<Buffer | undefined>,
  signal: AbortSignal | undefined,
): Promise<ComponentRecord> {
  for (let tries = 1; ; tries += 1) {
    const found = await store.record(key, signal);
    const record = found?.value ?? firstRecord(key, writing);
    mustBeFree(record);
    const content = await contentFor(record);
    const recovered = await recoveredVersion(store, record, writing.force, signal);
    const blob = content === undefined ? undefined : await store.putBlob(record, "state", content, signal);
    const head = blob === undefined ? undefined : versionOf(await incomingState(content as Buffer), blob, writing);
    const next = written(record, head, recovered, writing);
    try {
      const after =
        found === undefined
          ? await store.createRecord(next, signal)
          : await store.updateRecord(next, found.version, signal);
      await deleteBlobs(store, record, droppedBlobs(record, next), signal);
      return after.value;
    } catch (error) {
      // After any other failure the record may have been written: then the blob is in use.
      if (error instanceof RecordConflict && blob !== undefined) await deleteBlobs(store, record, [blob], signal);
      await afterConflict(store, error, tries, signal);
    }
  }
}

function firstRecord(key: StateKey, { firstOwner, at }: WritingHand): ComponentRecord {
  if (firstOwner === undefined) throw new Refused("NotFound", `there is no state of ${stateKeyText(key)}`);
  return emptyRecord(key, firstOwner, at);
}

/** The record after a person's write. Whatever was waiting for a person is settled by it, and stays among the versions. */
function written(
  record: ComponentRecord,
  head: StateVersion | undefined,
  recovered: StateVersion | undefined,
  { how, by, at, newestRun, begun, isLeftByEngine = false }: Writing,
): ComponentRecord {
  const { recovery: _settled, ...rest } = record;
  const newest = head ?? record.state;
  if (newest === undefined) throw new Refused("NotFound", `no state of ${stateKeyText(record.key)} was ever stored`);
  const before = head === undefined ? record.history : versionsOf(record);
  const isHead = recovered?.blob.digest === newest.blob.digest;
  const left = record.recovery ?? record.state;
  const isOther = (begun || wasAtWork(record)) && !isLeftByEngine && newest.blob.digest !== left?.blob.digest;
  const after = record.claim?.number;
  const earlier = recovered === undefined || isHead ? before : [recovered, ...before];
  return {
    ...rest,
    state: newest,
    history: retained(newest, earlier),
    mayHoldObjects: record.mayHoldObjects || newest.resources > 0,
    written: {
      how,
      by,
      at: at.toISOString(),
      serial: newest.serial,
      ...(after === undefined ? {} : { after }),
      // One that was made since the Runs were listed, and was quicker.
      newestRun: Math.max(newestRun, after ?? 0),
      ...(isOther || replacingWrite(record) !== undefined ? { replaced: true } : {}),
    },
  };
}

/** An engine has begun something, or left a state. Until then whatever is there was put in by people. */
function wasAtWork({ applied, attempted, destroyBegun, recovery, state }: ComponentRecord): boolean {
  const begun = applied ?? attempted ?? destroyBegun ?? recovery;
  return begun !== undefined || (state !== undefined && state.by === undefined);
}

function versionOf(
  { lineage, serial, resources }: IncomingState,
  blob: BlobRef,
  { how, by, at }: Writing,
): StateVersion {
  // A name of its own, as each Run has one: the last version of each is kept.
  return { lineage, serial, resources, blob, run: `${how.toLowerCase()}/${serial}`, by, at: at.toISOString() };
}

/** A lock, or a claim without one, that nobody can give back any more, by a person's word. `id` is that of the holder that was looked at. */
export function unlockedByHand(record: ComponentRecord, id: string, { by, at }: Hand): Change<Holder> {
  const { claim } = record;
  const name = stateKeyText(record.key);
  const holder = holderOf(record);
  if (holder === undefined) throw new Refused("NotFound", `the state of ${name} is not locked`);
  if (holder.id !== id) throw new Refused("LockMismatch", `the ${holder.by} of ${name} has another id: ${holder.id}`);
  const fenced = { why: `${by} released its ${holder.by}`, at: at.toISOString() };
  const holds = claim?.runUid === holder.runUid && claim.fenced === undefined;
  const free = without(record, "lock");
  if (!holds) return { next: free, answer: holder };
  const next = { ...free, claim: { ...claim, fenced } };
  // That person's word is the proof of its death.
  const cutOff = { name: claim.run, uid: claim.runUid, operation: "Apply" } as const;
  return { next: claim.applying === undefined ? next : withCutOff(next, cutOff, at), answer: holder };
}
