import { FINALIZERS } from "../api/names.ts";
import { isClosed, type Run } from "../api/run.ts";
import type { RunSeen } from "./observation.ts";
import { isWaitingForPeople, phaseNameOf, recordedPod } from "./phase.ts";
import { podName } from "./pod.ts";
import type { RunPorts } from "./ports.ts";
import { tallyOf } from "./waiting.ts";

/** Thousands of such Runs are looked at when a leader begins: nothing is asked about them. */
const isLetGo = (run: Run): boolean => isClosed(run) && !run.metadata.finalizers?.includes(FINALIZERS.run);

/** Asked for where the Run is about to be let go: a pod that the cache has not seen yet would be kept for ever. */
const planPodUid = (run: Run): string | undefined =>
  isClosed(run) && !isLetGo(run) ? run.status?.pods?.find(({ name }) => name === podName(run, "Plan"))?.uid : undefined;

export async function observeRun(
  namespace: string,
  name: string,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<RunSeen | undefined> {
  const run = ports.run(namespace, name);
  if (run === undefined) return undefined;
  const phase = phaseNameOf(run);
  const pod = await ports.pod(namespace, podName(run, phase), isLetGo(run) ? undefined : recordedPod(run)?.uid, signal);
  const nodeName = isClosed(run) ? undefined : pod?.spec?.nodeName;
  const seen: RunSeen = {
    run,
    environment: ports.environment(namespace, run.spec.environment.name),
    pod,
    planPod: phase === "Plan" ? undefined : await ports.pod(namespace, podName(run, "Plan"), planPodUid(run), signal),
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
