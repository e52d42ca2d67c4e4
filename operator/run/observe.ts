import { isClosed } from "../api/run.ts";
import type { RunSeen } from "./observation.ts";
import { isWaitingForPeople, phaseNameOf, recordedPod } from "./phase.ts";
import { podName } from "./pod.ts";
import type { RunPorts } from "./ports.ts";
import { tallyOf } from "./waiting.ts";

export async function observeRun(
  namespace: string,
  name: string,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<RunSeen | undefined> {
  const run = ports.run(namespace, name);
  if (run === undefined) return undefined;
  const phase = phaseNameOf(run);
  // Thousands of closed Runs are looked at when a leader begins: nothing is asked about them.
  const recordedUid = isClosed(run) ? undefined : recordedPod(run)?.uid;
  const pod = await ports.pod(namespace, podName(run, phase), recordedUid, signal);
  const nodeName = isClosed(run) ? undefined : pod?.spec?.nodeName;
  const seen: RunSeen = {
    run,
    environment: ports.environment(namespace, run.spec.environment.name),
    pod,
    planPod: phase === "Plan" ? undefined : await ports.pod(namespace, podName(run, "Plan"), undefined, signal),
    approvals: phase === "Plan" ? [] : ports.approvalsOf(run),
    standing: { type: "stands" },
    node: nodeName === undefined ? undefined : await ports.node(nodeName, signal),
    isOvertaken: run.spec.operation === "Check" && ports.isOvertaken(run),
    nowMs: ports.now().getTime(),
  };
  // The whole Environment has to be looked at for it: that is worth it only for a plan that nothing else stands in the way of.
  const isApproved = isWaitingForPeople(run) && tallyOf(seen).standing.type === "approved";
  return isApproved ? { ...seen, standing: ports.standingOf(run) } : seen;
}
