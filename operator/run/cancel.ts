import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import type { PlanCounts, RunOutcome } from "../api/run-status.ts";

/** Does a person ask for the end of this very Run, and has not been heard yet? */
export function isToBeCancelled(run: Run, environment: Environment | undefined): boolean {
  if (environment?.metadata.uid !== run.spec.environment.uid) return false;
  return environment.metadata.annotations?.[ANNOTATIONS.cancel] === run.metadata.name;
}

/** It was heard. From then on it counts, even where the annotation is taken away again. */
export const isBeingCancelled = ({ status }: Run): boolean => status?.cancelRequestedAt !== undefined;

/** The wish of a person counts from the moment it is there, and for good once it was heard. */
export const isCancelled = (run: Run, environment: Environment | undefined): boolean =>
  isToBeCancelled(run, environment) || isBeingCancelled(run);

export const CANCELLED_BEFORE_IT_BEGAN: RunOutcome = {
  result: "Cancelled",
  reason: "Cancelled",
  message: "cancelled by a person before it began: nothing was applied",
  retry: "Never",
};

/** How a pod ends that was told to end; everything else has reasons of its own, which count. */
const TOLD_TO_END: readonly string[] = ["RunnerLost", "ApplyFailed", "DestroyFailed", "PodUnschedulable"];

/** The outcome of a Run that a person has cancelled: what was done until then is told, and it is no failure that is tried again. */
export function cancelledInstead(run: Run, outcome: RunOutcome): RunOutcome {
  if (!isBeingCancelled(run) || outcome.result !== "Failed" || !TOLD_TO_END.includes(outcome.reason)) return outcome;
  const message = hasBegun(run, outcome)
    ? doneUntilThen(run, outcome)
    : "cancelled by a person before anything was applied";
  return { ...outcome, result: "Cancelled", reason: "Cancelled", message, retry: "Never" };
}

const hasBegun = ({ status }: Run, { reason }: RunOutcome): boolean =>
  status?.applyStartedAt !== undefined && (reason === "ApplyFailed" || reason === "DestroyFailed");

function doneUntilThen({ spec, status }: Run, { journal, stateSerial, resources }: RunOutcome): string {
  const total = status?.plan === undefined ? undefined : totalOf(status.plan.counts);
  const done = journal?.completed ?? 0;
  const how = spec.operation === "Destroy" ? "destroyed" : "applied";
  const changes =
    total === undefined ? `${done} changes were done` : `${Math.min(done, total)} of ${total} changes were done`;
  const saved =
    stateSerial === undefined
      ? "no state was stored"
      : `the state is saved (serial ${stateSerial}, ${resources ?? 0} resources)`;
  return `cancelled by a person while it was ${how}: ${changes}, and ${saved}`;
}

/** A replacement is reported as a deletion and a creation. */
const totalOf = ({ create, update, replace, delete: gone }: PlanCounts): number => create + update + 2 * replace + gone;
