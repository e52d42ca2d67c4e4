import type { Reason } from "../api/conditions.ts";
import type { Run, RunOutcome, RunPhase, RunStatus } from "../api/run.ts";
import type { Acted } from "./act.ts";
import { conditionsOf } from "./conditions.ts";
import { closedPhase } from "./ending.ts";

/**
 * This controller's part of a Run's status after a round. The gateway writes the other part (progress, plan, outcome that was reported)
 * under a field manager of its own.
 */
export function statusAfter(run: Run, acted: Acted, now: Date): RunStatus | undefined {
  switch (acted.type) {
    case "nothing":
      return undefined;
    case "started":
      return {
        ...ownPart(run),
        phase: "Starting",
        pods: [
          {
            name: acted.pod.metadata.name,
            uid: acted.pod.metadata.uid,
            createdAt: acted.pod.metadata.creationTimestamp ?? now.toISOString(),
          },
        ],
        startedAt: acted.pod.metadata.creationTimestamp ?? now.toISOString(),
        conditions: conditionsOf(run, "Starting", { reason: "Progressing", message: "the pod starts" }, now),
        message: "the pod starts",
      };
    case "working":
      return { ...ownPart(run), ...working(run, acted.phase, "Progressing", acted.message, now) };
    case "foreign": {
      const message = `a pod that the operator did not make has the name ${acted.name}: delete it`;
      return { ...ownPart(run), ...working(run, "Pending", "ForeignPod", message, now) };
    }
    case "unproven":
      return {
        ...ownPart(run),
        ...working(run, run.status?.phase ?? "Applying", "ProofOfDeathMissing", acted.message, now),
      };
    case "closed":
      return { ...ownPart(run), ...closed(run, acted.outcome, now) };
  }
}

function ownPart({ status, spec: _, metadata }: Run): RunStatus {
  const { pods, startedAt } = status ?? {};
  return {
    observedGeneration: metadata.generation ?? 1,
    ...(pods === undefined ? {} : { pods }),
    ...(startedAt === undefined ? {} : { startedAt }),
  };
}

function working(run: Run, phase: RunPhase, reason: Reason, message: string, now: Date): Partial<RunStatus> {
  return { phase, message, conditions: conditionsOf(run, phase, { reason, message }, now) };
}

function closed(run: Run, outcome: RunOutcome, now: Date): Partial<RunStatus> {
  const phase = closedPhase(outcome);
  const reported = run.status?.outcome !== undefined;
  return {
    phase,
    finishedAt: now.toISOString(),
    conditions: conditionsOf(run, phase, outcome, now),
    ...(reported ? {} : { outcome }),
  };
}
