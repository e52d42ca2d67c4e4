import type { Condition, Reason } from "../api/conditions.ts";
import type { Run } from "../api/run.ts";
import { isClosedPhase, type RunPhase } from "../api/run-status.ts";

interface Told {
  readonly reason: Reason | string;
  readonly message: string;
}

/** What a Run that is open can only come out of with a person. */
export const NEEDS_PERSON = ["ForeignPod", "ProofOfDeathMissing", "RightMissing"] as const satisfies readonly Reason[];

/**
 * Succeeded for people and `kubectl wait`; Reconciling and Stalled for tools that go by kstatus: without them an attempt that is under way, or
 * that failed, would count as finished and fine.
 */
export function conditionsOf(run: Run, phase: RunPhase, told: Told, now: Date): Condition[] {
  const open = !isClosedPhase(phase);
  const stuck = open
    ? NEEDS_PERSON.some((reason) => reason === told.reason)
    : phase === "Failed" || phase === "Interrupted";
  const moving = open && !stuck;
  const ended = { reason: told.reason, message: open ? "it does not go on by itself" : "the Run has ended" };
  const normal = { reason: moving ? "Progressing" : told.reason, message: "nothing stands in the way" };
  const condition = (type: string, status: Condition["status"], { reason, message }: Told): Condition => ({
    type,
    status,
    reason,
    message,
    observedGeneration: run.metadata.generation ?? 1,
    lastTransitionTime: since(run, type, status, now),
  });
  return [
    condition("Succeeded", open ? "Unknown" : phase === "Succeeded" ? "True" : "False", told),
    condition("Reconciling", moving ? "True" : "False", moving ? told : ended),
    condition("Stalled", stuck ? "True" : "False", stuck ? told : normal),
  ];
}

function since(run: Run, type: string, status: Condition["status"], now: Date): string {
  const before = run.status?.conditions?.find((condition) => condition.type === type);
  return before?.status === status ? before.lastTransitionTime : now.toISOString();
}
