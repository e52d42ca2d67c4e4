import { type Reason, reasonNames } from "../api/conditions.ts";
import type { EnvironmentSpec } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import { sleepAt } from "../schedule/sleep.ts";
import { sideOfWriting } from "../storage/record.ts";
import type { ComponentPast } from "./observation.ts";
import { endedAtMs, nextTryMs, retryLimit } from "./retry.ts";
import type { Answer } from "./verdict.ts";

/** What makes two tries tries of the same thing. */
export interface Attempted {
  readonly desiredDigest: string;
  readonly generation: number;
  readonly request: string | undefined;
  /** Where not every commit counts: all but the commit, and what its watched paths hold. */
  readonly apartFromCommit?: { readonly inputsDigest: string; readonly content: string };
  /** Each waking, and each falling asleep, has tries of its own: what ended before this does not count. */
  readonly countedFromMs?: number;
}

/** From the turn before the last one: what was tried before it was of another day or night. Clocks that differ by minutes make no difference. */
export function triesOfThisTurn({ lifetime }: EnvironmentSpec, nowMs: number): Pick<Attempted, "countedFromMs"> {
  const answer = sleepAt(lifetime?.sleep, nowMs);
  if (answer.state === "invalid") return {};
  const countedFromMs = answer.state === "awake" ? answer.fellAsleepAtMs : answer.wokeAtMs;
  return countedFromMs === undefined ? {} : { countedFromMs };
}

/** An interrupted destroy counts as a failed one: what is left is known from the state, so trying again is safe. */
function failedRun(run: Run | undefined): run is Run {
  const result = run?.status?.outcome?.result;
  if (result === "Interrupted") return run?.spec.operation === "Destroy";
  if (result === "Cancelled") return run?.status?.outcome?.reason === "Rejected";
  return result === "Failed" || result === "Waiting";
}

function isSameTry(run: Run, wanted: Attempted): boolean {
  return (
    !isOfBefore(run, wanted) &&
    (run.spec.desiredDigest === wanted.desiredDigest || isOfSameContent(run, wanted)) &&
    run.spec.environment.generation === wanted.generation &&
    (wanted.request === undefined || run.spec.request === wanted.request)
  );
}

/** Except for what a person has ended, which stays ended. */
function isOfBefore(run: Run, { countedFromMs }: Attempted): boolean {
  return countedFromMs !== undefined && run.status?.phase !== "Cancelled" && endedAtMs(run) < countedFromMs;
}

/** A commit that changes nothing that matters makes no other try of it. */
function isOfSameContent({ spec }: Run, { apartFromCommit: wanted }: Attempted): boolean {
  return spec.inputs.content === wanted?.content && spec.inputsDigest === wanted?.inputsDigest;
}

/** The last try of exactly this, where it failed. */
export function lastFailure(past: ComponentPast, wanted: Attempted): Run | undefined {
  const { latest } = past;
  return isFailureOf(past, wanted, latest) ? latest : undefined;
}

function isFailureOf(past: ComponentPast, wanted: Attempted, run: Run | undefined): run is Run {
  return failedRun(run) && isSameTry(run, wanted) && !writtenSince(past, run);
}

/** A person has put another state in the store since that Run ended: what was tried before says little about the next try. */
export function writtenSince({ record }: Pick<ComponentPast, "record">, run: Run): boolean {
  if (record?.written === undefined) return false;
  const side = sideOfWriting(record, run.spec.number);
  return side === undefined ? Date.parse(record.written.at) > endedAtMs(run) : side === "before";
}

/**
 * Tries of this that failed in the same manner: waiting for an input does not use up the tries of a failing engine. Those before a try that
 * failed in another manner count, as far as they are kept.
 */
export function attemptNumber(past: ComponentPast, wanted: Attempted): number {
  const [latest, before, ...earlier] = failuresInRow(past, wanted);
  if (latest === undefined) return 0;
  const isSame = ({ status }: Run): boolean => status?.outcome?.result === latest.status?.outcome?.result;
  if (before === undefined || isSame(before)) return latest.spec.attempt + 1;
  return 1 + earlier.filter(isSame).length;
}

/** Newest first. */
function failuresInRow(past: ComponentPast, wanted: Attempted): readonly Run[] {
  const end = past.runs.findIndex((run) => !isFailureOf(past, wanted, run));
  return end === -1 ? past.runs : past.runs.slice(0, end);
}

const asReason = (text: string | undefined): Reason => reasonNames.find((name) => name === text) ?? "InternalError";

const AFTER_A_NO = "change the spec or the source, or set terrarium.dev/requestedAt for another plan";

/** A person has ended the last try of exactly this: nothing is tried again by itself. */
function cancelled(past: ComponentPast, wanted: Attempted): Answer | undefined {
  const { latest } = past;
  if (latest === undefined || !wasCancelled(latest) || !isSameTry(latest, wanted)) return undefined;
  if (writtenSince(past, latest)) return undefined;
  const told = latest.status?.outcome?.message ?? "cancelled by a person";
  const message = `set terrarium.dev/requestedAt, or change something, to go on: Run ${latest.spec.number} was ${told}`;
  return { state: "Stalled", reason: "Cancelled", message };
}

/** By a person, and not because it had become pointless. */
export function wasCancelled({ status }: Run): boolean {
  const succeeded = status?.conditions?.find(({ type }) => type === "Succeeded");
  return status?.phase === "Cancelled" && (succeeded ?? status.outcome)?.reason === "Cancelled";
}

/** After a failure: is there another try, and when? Undefined where the next try may begin now. */
export function answerAfterFailure(
  past: ComponentPast,
  wanted: Attempted,
  retry: EnvironmentSpec["retry"],
  nowMs: number,
): Answer | undefined {
  const ended = cancelled(past, wanted);
  if (ended !== undefined) return ended;
  const run = lastFailure(past, wanted);
  const outcome = run?.status?.outcome;
  if (run === undefined || outcome === undefined) return undefined;
  const retries = attemptNumber(past, wanted);
  const reason = asReason(outcome.reason);
  const { message } = outcome;
  if (outcome.reason === "Rejected") return { state: "Stalled", reason, message: `${message}; ${AFTER_A_NO}` };
  if (outcome.retry === "Never") return { state: "Failed", reason, message, retries };
  const limit = retryLimit(retry?.limit);
  if (outcome.result !== "Waiting" && retries > limit) {
    return {
      state: "Failed",
      reason: "RetriesExhausted",
      message: `failed ${retries === 1 ? "once" : `${retries} times`} (${reason}: ${message}); change the spec or the source, or set terrarium.dev/requestedAt`,
      retries,
    };
  }
  const wakeAtMs = nextTryMs(run, nowMs);
  return wakeAtMs > nowMs ? { state: "Failed", reason, message, retries, wakeAtMs } : undefined;
}
