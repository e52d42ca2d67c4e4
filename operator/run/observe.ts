import type { RunObservation } from "./observation.ts";
import { isWaitingForPeople, phaseNameOf, recordedPod } from "./phase.ts";
import { podName } from "./pod.ts";
import type { RunPorts } from "./ports.ts";

export async function observeRun(
  namespace: string,
  name: string,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<RunObservation | undefined> {
  const run = ports.run(namespace, name);
  if (run === undefined) return undefined;
  const phase = phaseNameOf(run);
  const pod = await ports.pod(namespace, podName(run, phase), recordedPod(run)?.uid, signal);
  const nodeName = pod?.spec?.nodeName;
  return {
    run,
    environment: ports.environment(namespace, run.spec.environment.name),
    pod,
    planPod: phase === "Plan" ? undefined : await ports.pod(namespace, podName(run, "Plan"), undefined, signal),
    approvals: phase === "Plan" ? [] : ports.approvalsOf(run),
    standing: isWaitingForPeople(run) ? ports.standingOf(run) : { type: "stands" },
    node: nodeName === undefined ? undefined : await ports.node(nodeName, signal),
    isOvertaken: run.spec.operation === "Check" && ports.isOvertaken(run),
    freePlaces: ports.freePlaces(run),
    nowMs: ports.now().getTime(),
  };
}
