import type { Run } from "../api/run.ts";
import { podName, type RunPhaseName } from "./pod.ts";

/** Plan until its plan waits in the store; from then on whatever a pod does is to apply it. */
export function phaseNameOf({ status }: Run): RunPhaseName {
  return status?.heldAt === undefined ? "Plan" : "Apply";
}

/** The pod of the present phase, as the Run remembers it. */
export function recordedPod(run: Run): NonNullable<NonNullable<Run["status"]>["pods"]>[number] | undefined {
  const pods = run.status?.pods ?? [];
  return phaseNameOf(run) === "Plan" ? pods[0] : pods.find(({ name }) => name === podName(run, "Apply"));
}

/** Its plan waits, and no pod has been made for applying it. */
export function isWaitingForPeople(run: Run): boolean {
  return run.status?.heldAt !== undefined && recordedPod(run) === undefined;
}

/**
 * The same Run as it was before a pod was made for applying its plan, or could not be: whose agent has begun, but nothing else. What it said of that is
 * no reason not to try again.
 */
export function asWaiting(run: Run): Run {
  if (run.status === undefined) return run;
  const { conditions: _said, ...status } = run.status;
  const pods = (status.pods ?? []).filter(({ name }) => name !== podName(run, "Apply"));
  return { ...run, status: { ...status, phase: "AwaitingApproval", pods } };
}
