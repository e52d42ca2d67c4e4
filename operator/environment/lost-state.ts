import type { Environment } from "../api/environment.ts";
import type { ComponentStatus } from "../api/environment-status.ts";
import { isClosed, type Run } from "../api/run.ts";
import { hasBegunToApply, hasSeenSomething, sinceDestroyed } from "../run/witness.ts";
import type { ComponentRecord } from "../storage/record.ts";
import { writtenSince } from "./attempts.ts";
import type { ComponentPast } from "./observation.ts";
import { endedAtMs } from "./retry.ts";

/** What the Runs recorded and the store does not have. */
export interface Loss {
  /** The Run whose record it contradicts. */
  readonly run: Run;
  /** What is missing, as the end of a sentence. */
  readonly what: string;
}

type Witnessed = Pick<ComponentPast, "name" | "record" | "runs" | "formerRuns">;

/**
 * Compares the store with what the Runs have seen in it. A Run is a witness until a later destroy has ended well, or a person has written the
 * state by hand; from then on it says nothing about the state any more. One that has seen nothing, and made nothing, witnesses no loss: with
 * nothing in it a state is forgotten without a Run.
 */
export function lossOf(past: Witnessed): Loss | undefined {
  const { record } = past;
  if (record === undefined || isBlank(record)) return withoutRecord(past);
  const runs = witnesses(past);
  return withoutApply(runs, record) ?? otherState(runs, record) ?? withoutObjects(runs, record);
}

/** Those that have ended since all was destroyed last, newest first. */
function witnesses(past: Witnessed): readonly Run[] {
  const ended = past.runs.filter((run) => isClosed(run) && !destroyedSince(past, run));
  return sinceDestroyed(ended).filter((run) => hasSeenSomething(run) && !writtenSince(past, run));
}

/** The record is ahead of what is known of Runs: a later destroy has ended well. An earlier one of the same second is not later. */
function destroyedSince({ record, runs }: Witnessed, run: Run): boolean {
  const last = record?.lastResult;
  if (last?.outcome.result !== "Destroyed") return false;
  const isClaimed = record?.claim?.runUid === last.runUid;
  const number = isClaimed
    ? record.claim.number
    : runs.find(({ metadata }) => metadata.uid === last.runUid)?.spec.number;
  return number === undefined ? Date.parse(last.at) >= endedAtMs(run) : number > run.spec.number;
}

const NOTHING_KNOWN = "and the store knows nothing of it";

/** It is new, and may be in the place of one that was lost: the end of a Run makes one where there is none. */
const isBlank = ({ state, applied, mayHoldObjects, written, lastResult }: ComponentRecord): boolean =>
  (state ?? applied ?? written) === undefined && !mayHoldObjects && lastResult?.outcome.result !== "Destroyed";

/** Also those of former names: the rename may have been the last that was heard of it. */
function withoutRecord({ name, runs, formerRuns }: Witnessed): Loss | undefined {
  const run = sinceDestroyed([...runs, ...formerRuns].filter(isClosed)).find(hasSeenSomething);
  if (run === undefined) return undefined;
  const { component } = run.spec;
  const where = component === name ? "" : `under the name ${component}, `;
  return { run, what: `${where}${NOTHING_KNOWN}` };
}

/** The record is from before that Run, although the state may fit: an apply that changed outputs only, say. */
function withoutApply(runs: readonly Run[], record: ComponentRecord): Loss | undefined {
  const run = runs.find(({ spec, status }) => spec.operation === "Apply" && status?.phase === "Succeeded");
  if (run === undefined || (record.applied?.number ?? 0) >= run.spec.number) return undefined;
  return { run, what: `and the store has ${stateText(record)}, from before it` };
}

function otherState(runs: readonly Run[], record: ComponentRecord): Loss | undefined {
  const run = runs.find(({ status }) => status?.outcome?.stateSerial !== undefined);
  const { stateSerial = 0, stateLineage } = run?.status?.outcome ?? {};
  if (run === undefined) return undefined;
  const { state } = record;
  if (state === undefined || state.serial < stateSerial)
    return { run, what: `with serial ${stateSerial}, and the store has ${stateText(record)}` };
  if (stateLineage === undefined || state.lineage === stateLineage) return undefined;
  return { run, what: `of lineage ${stateLineage}, and the store has one of lineage ${state.lineage}` };
}

function withoutObjects(runs: readonly Run[], record: ComponentRecord): Loss | undefined {
  const run = runs.find(hasBegunToApply);
  if (run === undefined || record.mayHoldObjects) return undefined;
  return { run, what: NOTHING_KNOWN };
}

const stateText = ({ state }: ComponentRecord): string => (state === undefined ? "none" : `serial ${state.serial}`);

type Told = Pick<ComponentStatus, "state" | "reason">;

/** Its record is there, and nobody can open it: no loss while it is. */
const isToldUnreadable = ({ reason }: Told): boolean => reason === "RecordUnreadable" || reason === "KeyMissing";

/** A Run that failed for that reason has found a state that is damaged, and the next may find it whole. */
export const isToldLost = ({ state, reason }: Told): boolean => state === "Stalled" && reason === "StateLost";

/** Components that the status has called lost, or may have to: of what cannot be read the record may go. */
export const namesToldLost = ({ status }: Environment): readonly string[] =>
  (status?.components ?? []).filter((line) => isToldLost(line) || isToldUnreadable(line)).map(({ name }) => name);

/**
 * What was told of a loss while its witnesses were there. A deletion in the foreground takes the Runs, one after the other, and those that are left may
 * know of nothing: from then on it stays true until a person has written a state. Before, nobody takes them, and they speak for themselves.
 */
export function toldLoss({ metadata, status }: Environment, past: ComponentPast): string | undefined {
  const { name, record, runs } = past;
  const line = status?.components?.find((one) => one.name === name);
  if (line === undefined || metadata.deletionTimestamp === undefined) return undefined;
  const told = wordOf(line, record);
  if (told === undefined || record === undefined) return told;
  const isWritten = Date.parse(record.written?.at ?? "") >= Date.parse(metadata.deletionTimestamp);
  // The newest Run of that time is there, and fits: what was lost is back.
  const newest = runs.find((run) => run.metadata.name === line.run);
  const isBack = newest !== undefined && knowsEndOf(record, newest) && lossOf(past) === undefined;
  return isWritten || isBack ? undefined : told;
}

/** It is from after that Run, however it ended; or from when that one only planned, which changes no state. */
function knowsEndOf({ applied, lastResult, claim }: ComponentRecord, run: Run): boolean {
  const { uid } = run.metadata;
  return uid === applied?.runUid || uid === lastResult?.runUid || (uid === claim?.runUid && !hasBegunToApply(run));
}

function wordOf(line: ComponentStatus, record: ComponentRecord | undefined): string | undefined {
  if (isToldLost(line)) return line.message ?? "";
  if (!isToldUnreadable(line)) return undefined;
  if (record === undefined) return `${COULD_NOT_BE_READ}, and is gone by now`;
  return isFromBefore(record, line.appliedAt) ? `${COULD_NOT_BE_READ}, and an older one is in its place` : undefined;
}

/** Nothing that it holds ended as late as the apply that was shown last. */
const isFromBefore = ({ applied, lastResult }: ComponentRecord, appliedAt: string | undefined): boolean =>
  appliedAt !== undefined && ![applied?.at, lastResult?.at].some((at) => at !== undefined && at >= appliedAt);

const COULD_NOT_BE_READ = "restore or push a state (docs/state.md): its record could not be read";
