import { durationMs } from "../api/fields.ts";
import { isClosed } from "../api/run.ts";
import type { RunOutcome } from "../api/run-status.ts";
import { isToBeCancelled } from "./cancel.ts";
import { saidByKubelet } from "./death.ts";
import type { RunDecision } from "./decide.ts";
import type { RunObservation } from "./observation.ts";
import { LOOKS_FOR_PLACE_MS } from "./places.ts";
import { whyNotStarted } from "./start-trouble.ts";
import { hasMoved } from "./witness.ts";

/** From creation to the first running container; images may have to be pulled. */
const START_DEADLINE_MS = 10 * 60_000;
/** Beyond the plan's timeout, which the agent enforces. */
const SLACK_MS = 5 * 60_000;

/**
 * What is to be done about a Check now? It holds no lock and no claim, and can change nothing: so its pod may be ended at any time, and made again
 * where nobody knows what became of it. Nothing has to be proven.
 */
export function decideCheck(observation: RunObservation): RunDecision {
  const { run, pod, freePlaces } = observation;
  if (isClosed(run)) return { type: "rest" };
  const ours = pod?.metadata.ownerReferences?.some(({ uid }) => uid === run.metadata.uid) ? pod : undefined;
  const outcome = cancelled(observation) ?? (ours === undefined ? undefined : givenUp(observation, ours));
  if (outcome !== undefined) return { type: "drop", outcome, pod: ours };
  if (ours !== undefined) return { type: "await", wakeAtMs: deadlineMs(observation, ours) };
  return freePlaces > 0 ? { type: "createPod" } : { type: "await", wakeAtMs: observation.nowMs + LOOKS_FOR_PLACE_MS };
}

function cancelled({ run, environment, isOvertaken }: RunObservation): RunOutcome | undefined {
  if (isToBeCancelled(run, environment)) {
    return { result: "Cancelled", reason: "Cancelled", message: "cancelled by a person: a Check changes nothing" };
  }
  if (isOvertaken || hasMoved(run)) {
    const message = "the component is being changed, and whoever changes it makes a plan of its own";
    return { result: "Cancelled", reason: "Superseded", message };
  }
  const wanted =
    environment?.metadata.uid === run.spec.environment.uid && environment.metadata.deletionTimestamp === undefined;
  return wanted
    ? undefined
    : { result: "Cancelled", reason: "Destroying", message: "the Environment is being deleted" };
}

type Observed = NonNullable<RunObservation["pod"]>;

function hasBegun({ status }: Observed): boolean {
  const agent = status?.containerStatuses?.find(({ name }) => name === "agent")?.state;
  return agent?.running !== undefined || agent?.terminated !== undefined;
}

function deadlineMs({ run, nowMs }: RunObservation, pod: Observed): number {
  const madeMs = Date.parse(pod.metadata.creationTimestamp ?? "") || nowMs;
  return madeMs + (hasBegun(pod) ? durationMs(run.spec.inputs.timeouts.plan) + SLACK_MS : START_DEADLINE_MS);
}

/** A pod that has ended, or is going to, without having told anything. What it told already closes the Run in the same write. */
function givenUp(observation: RunObservation, pod: Observed): RunOutcome | undefined {
  const failed = (reason: string, message: string): RunOutcome => ({
    result: "Failed",
    reason,
    message,
    retry: "Backoff",
  });
  const { status, metadata } = pod;
  const containers = status?.containerStatuses ?? [];
  if (containers.some(({ state }) => state?.terminated?.reason === "OOMKilled"))
    return failed("OutOfMemory", "the engine needed more memory than its limit; raise runner.resources.limits.memory");
  const hasEnded = status?.phase === "Succeeded" || status?.phase === "Failed";
  if (hasEnded || metadata.deletionTimestamp !== undefined)
    return failed("RunnerLost", `the pod ended before it had told what it found${saidByKubelet(pod)}`);
  if (observation.nowMs < deadlineMs(observation, pod)) return undefined;
  const trouble = whyNotStarted(pod);
  return hasBegun(pod)
    ? failed("TimedOut", "took longer than its timeouts allow")
    : failed("PodUnschedulable", trouble ?? "the pod did not start");
}
