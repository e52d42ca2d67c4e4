import type { Operation } from "../api/run.ts";
import { type Change, changeRecord } from "./change.ts";
import { withCutOff, withRejection } from "./cut-off.ts";
import { withoutHeld } from "./holding.ts";
import { type FencedRun, fenced } from "./locking.ts";
import { ensureRecord } from "./ownership.ts";
import type { StateStore } from "./port.ts";
import type { ComponentRecord, StateKey } from "./record.ts";
import { isRefused } from "./refusal.ts";

export type RunEnd =
  /** Nothing of the Run may write any more. The record as it is from then on; absent where there is none. */
  | { readonly type: "fenced"; readonly record: ComponentRecord | undefined }
  /** It may be applying at this moment, and nobody has shown that it is dead: lock and claim stay. */
  | { readonly type: "mayBeApplying"; readonly podUid: string };

export interface EndingRun extends FencedRun {
  readonly operation: Operation;
  readonly environmentUid: string;
  /** Value of the annotation `requestedAt` by now. */
  readonly request?: string;
  /** Is its Environment gone? Asked where there is no record. */
  readonly isOrphaned?: () => Promise<boolean>;
}

export interface WhyEnded {
  readonly why: string;
  /** Its pods are dead, or its result has come. */
  readonly proven: boolean;
  /** The one pod that is proven dead; absent where the proof is about whatever pod the Run has. */
  readonly podUid?: string;
  /** The one pod that a person says is dead, whatever is proven of others. */
  readonly saidDead?: string;
  /** Its result has come: no claim can be on its way. */
  readonly reported?: boolean;
  /** Somebody has said no to its plan. */
  readonly rejected?: boolean;
}

/**
 * Ends a Run in the store. A claim of its pod may be on its way at this moment, before there is any record: so that it finds the door closed, the
 * record is made here. Without proof of death, only a Run that has not been allowed to apply may be ended: the fence keeps it
 * from ever being allowed. Looking and fencing are one compare-and-swap.
 */
export async function endRun(
  store: StateStore,
  key: StateKey,
  run: EndingRun,
  end: WhyEnded,
  at: Date,
  signal?: AbortSignal,
): Promise<RunEnd> {
  if ((await store.record(key, signal)) === undefined) {
    // A destroy without a record means that the record was lost: an empty one would say that nothing is left.
    if (run.operation === "Destroy" || end.reported === true) return { type: "fenced", record: undefined };
    // Nobody would ever forget it, and it would be in the way of the next Environment of that name.
    if (await run.isOrphaned?.()) return { type: "fenced", record: undefined };
    await ensureRecord(store, key, run.environmentUid, { now: () => at, ...(signal === undefined ? {} : { signal }) });
  }
  try {
    const { answer } = await changeRecord(store, key, (record) => ended(record, run, end, at), signal);
    return answer;
  } catch (error) {
    // Forgotten since it was looked at: nobody can claim what is not there.
    if (isRefused(error, "NotFound")) return { type: "fenced", record: undefined };
    throw error;
  }
}

/** What the end of a Run makes of its record. */
function ended(record: ComponentRecord, run: EndingRun, end: WhyEnded, at: Date): Change<RunEnd> {
  if (isOfAnother(record, run)) return fencedAs(withoutHeld(record, run.uid), record);
  const toldToApply = record.claim?.runUid === run.uid && record.claim.applying !== undefined;
  const isOver = hasReported(record, run.uid);
  if (toldToApply && !isOver && !isDead(record.claim.podUid, end))
    return { answer: { type: "mayBeApplying", podUid: record.claim.podUid } };
  const free = fenced(record, run, end.why, at).next ?? record;
  const heard = end.rejected ? withRejection(free) : free;
  // What was asked for until now was asked by somebody who did not know.
  const isCutOff = toldToApply && !isOver;
  return fencedAs(isCutOff ? withCutOff(heard, run, at) : heard, record);
}

/** Its result has come, and nothing of it is at work. An agent that has lost its engine reports `Interrupted`, and the engine may be. */
export const hasReported = ({ lastResult }: ComponentRecord, runUid: string): boolean =>
  lastResult?.runUid === runUid && lastResult.outcome.result !== "Interrupted";

function fencedAs(next: ComponentRecord, record: ComponentRecord): Change<RunEnd> {
  const answer = { type: "fenced", record: next } as const;
  return next === record ? { answer } : { next, answer };
}

/** Somebody may have let go of a pod by hand before it was recorded: it lives, and another has its name and is the one that is proven dead. */
function isDead(pod: string, { proven, podUid, saidDead }: WhyEnded): boolean {
  return pod === saidDead || (proven && (podUid === undefined || podUid === pod));
}

/** Adopted since then: the store takes no claim of this Run any more, and its number and what was said to its plan mean nothing to the new owner. */
function isOfAnother({ owner, claim }: ComponentRecord, { uid, environmentUid }: EndingRun): boolean {
  return owner.environmentUid !== environmentUid && claim?.runUid !== uid;
}
