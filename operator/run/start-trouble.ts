import type { ObservedPod } from "./observation.ts";

const USUAL = new Set(["ContainerCreating", "PodInitializing"]);

/** Why a pod does not start, in Kubernetes' words; nothing while it is simply young. */
export function whyNotStarted({ status }: ObservedPod): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False")
    return `the pod cannot be scheduled: ${scheduled.message ?? scheduled.reason ?? ""}`;
  for (const { name, state } of status?.containerStatuses ?? []) {
    const { reason, message } = state?.waiting ?? {};
    if (reason !== undefined && !USUAL.has(reason))
      return `container ${name}: ${reason}${message ? `: ${message}` : ""}`.slice(0, 500);
  }
  return undefined;
}
