import { cutBytes } from "../api/cut-bytes.ts";
import type { ObservedPod } from "./observation.ts";

const USUAL = new Set(["ContainerCreating", "PodInitializing"]);

/** A scheduler has a word about every kind of node: such a sentence grows with the cluster. */
const LONGEST_TROUBLE = 500;

/** Why a pod does not start, in Kubernetes' words; nothing while it is simply young. */
export function whyNotStarted(pod: ObservedPod): string | undefined {
  const trouble = troubleOf(pod);
  return trouble === undefined ? undefined : cutBytes(trouble, LONGEST_TROUBLE);
}

function troubleOf({ status }: ObservedPod): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False")
    return `the pod cannot be scheduled: ${scheduled.message ?? scheduled.reason ?? ""}`;
  for (const { name, state } of status?.containerStatuses ?? []) {
    const { reason, message } = state?.waiting ?? {};
    if (reason !== undefined && !USUAL.has(reason))
      return `container ${name}: ${reason}${message ? `: ${message}` : ""}`;
  }
  return undefined;
}
