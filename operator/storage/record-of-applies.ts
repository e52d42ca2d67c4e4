import type { BlobRef, ComponentRecord } from "./record.ts";

/** What the engine did to each resource in the apply of a Run, in order. */
export interface Journal {
  readonly run: string;
  readonly blobs: readonly BlobRef[];
  readonly entries: number;
}

/** A Run whose apply was cut off, and what it was to apply. */
export interface CutOffApply {
  readonly run: string;
  readonly number: number;
  readonly desiredDigest: string;
  readonly at: string;
  /** Kept here, since the next Run begins one of its own. Absent where nothing was reported, and from versions that kept none. */
  readonly journal?: Journal;
}

/** An apply that was cut off, as long as none has ended well since: the state alone does not tell what exists. */
export interface CutOff extends CutOffApply {
  /** Those that were cut off before, newest first, where none has ended well between. */
  readonly before?: readonly CutOffApply[];
  /** What the annotation `requestedAt` said by then: only another value is a word about how to go on. */
  readonly request?: string;
  /** Somebody has said no to a plan that waited since: then no request suffices any more. */
  readonly rejected?: true;
}

/** All applies that were cut off while none has ended well, newest first. */
export function cutOffApplies(cutOff: CutOff | undefined): readonly CutOffApply[] {
  if (cutOff === undefined) return [];
  const { run, number, desiredDigest, at, journal, before = [] } = cutOff;
  return [{ run, number, desiredDigest, at, ...(journal === undefined ? {} : { journal }) }, ...before];
}

/** Journals that may name what no state has, the newest first: of the last Run that applied something, and of the applies that were cut off. */
export function journalsOf({ journal, cutOff }: Pick<ComponentRecord, "journal" | "cutOff">): readonly Journal[] {
  const kept = [journal, ...cutOffApplies(cutOff).map((apply) => apply.journal)].filter((one) => one !== undefined);
  return kept.filter(({ run }, at) => kept.findIndex((one) => one.run === run) === at);
}

/**
 * The interrupted apply that keeps its component from being destroyed for the night, also where a plan of another declaration has found nothing to
 * do since: what no state tells of may stand on what a destroy takes, and in the morning a person would have to be asked before anything is made
 * again. A person's request since then, for which nothing was left to do, is their word that it may go.
 */
export function cutOffThatKeepsAwake(
  cutOff: CutOff | undefined,
  { mayHoldObjects, attempted, applied }: Pick<ComponentRecord, "mayHoldObjects" | "attempted" | "applied">,
): CutOff | undefined {
  if (cutOff === undefined || !mayHoldObjects) return undefined;
  const answered = attempted === undefined && applied !== undefined && applied.number > cutOff.number;
  const isHeard = answered && applied.request !== undefined && applied.request !== cutOff.request;
  return isHeard ? undefined : cutOff;
}
