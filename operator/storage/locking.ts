import { type Change, changeRecord, without } from "./change.ts";
import { type Claimant, mustHold } from "./claims.ts";
import { withoutHeld } from "./holding.ts";
import type { StateStore } from "./port.ts";
import type { ComponentRecord, StateKey, StateLock } from "./record.ts";
import { Refused } from "./refusal.ts";

/** Takes the lock; the same id may ask again. Refuses with `Locked` and the holder. */
export function locked(
  record: ComponentRecord,
  claimant: Claimant,
  { id, operation }: { readonly id: string; readonly operation: string },
  at: Date,
): Change<StateLock> {
  mustHold(record, claimant);
  const { lock } = record;
  if (lock !== undefined) {
    if (lock.id === id && lock.podUid === claimant.podUid && lock.runUid === claimant.runUid) return { answer: lock };
    throw new Refused("Locked", `pod ${lock.pod} of Run ${lock.run} holds the lock of the state`, lock);
  }
  const { run, runUid, pod, podUid } = claimant;
  const taken: StateLock = { id, run, runUid, pod, podUid, operation, since: at.toISOString() };
  return { next: { ...record, lock: taken }, answer: taken };
}

/** Gives the lock back; a lock that is not held is not an error, since the answer to the first try may be lost. */
export function unlocked(record: ComponentRecord, claimant: Claimant, id: string): Change<undefined> {
  mustHold(record, claimant);
  if (record.lock === undefined) return { answer: undefined };
  if (record.lock.id !== id)
    throw new Refused("LockMismatch", `the lock that is held has another id, and belongs to Run ${record.lock.run}`);
  return { next: without(record, "lock"), answer: undefined };
}

export async function acquireLock(
  store: StateStore,
  claimant: Claimant,
  lock: { readonly id: string; readonly operation: string },
  at: Date,
  signal?: AbortSignal,
): Promise<StateLock> {
  return (await changeRecord(store, claimant.key, (record) => locked(record, claimant, lock, at), signal)).answer;
}

export async function releaseLock(
  store: StateStore,
  claimant: Claimant,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  await changeRecord(store, claimant.key, (record) => unlocked(record, claimant, id), signal);
}

export interface FencedRun {
  readonly name: string;
  readonly uid: string;
  readonly number: number;
}

/**
 * From now on nothing of that Run may write, and its lock is released. Only for a Run whose result has come, or whose pods are proven dead
 * or were never made. A Run that has not claimed yet is kept from doing so, and a plan of it that waits is dropped.
 */
export function fenced(record: ComponentRecord, run: FencedRun, why: string, at: Date): Change<undefined> {
  const unlocked = record.lock?.runUid === run.uid ? without(record, "lock") : record;
  const free = withoutHeld(unlocked, run.uid);
  const next = withFencedClaim(free, run, why, at);
  return next === record ? { answer: undefined } : { next, answer: undefined };
}

function withFencedClaim(record: ComponentRecord, run: FencedRun, why: string, at: Date): ComponentRecord {
  const mark = { why, at: at.toISOString() };
  const { claim } = record;
  if (claim?.runUid === run.uid) {
    return claim.fenced === undefined ? { ...record, claim: { ...claim, fenced: mark } } : record;
  }
  const taken = record.lock !== undefined || (claim !== undefined && claim.fenced === undefined);
  if (taken || (claim?.number ?? 0) >= run.number) return record;
  const barred = {
    run: run.name,
    runUid: run.uid,
    number: run.number,
    phase: "Apply",
    podUid: "",
    at: mark.at,
  } as const;
  return { ...record, claim: { ...barred, fenced: mark } };
}

/** As `fenced`, in the store. Does nothing where there is no record. */
export async function fence(
  store: StateStore,
  key: StateKey,
  run: FencedRun,
  why: string,
  at: Date,
  signal?: AbortSignal,
): Promise<void> {
  if ((await store.record(key, signal)) === undefined) return;
  await changeRecord(store, key, (record) => fenced(record, run, why, at), signal);
}
