import { cutBytes } from "../api/cut-bytes.ts";
import { saidDead } from "../api/said-dead.ts";
import type { ContainerStatus, Node } from "../cluster/kinds.ts";
import type { ObservedPod, RunObservation } from "./observation.ts";

/** Whether a pod can still write anywhere. `unproven` holds locks; nothing but proof or a person releases them. */
export type Death =
  | { readonly type: "alive" }
  | {
      readonly type: "dead";
      readonly how: string;
      readonly outOfMemory: boolean;
      /** The pod that it is proven of, or that a person answers for. */
      readonly podUid: string;
    }
  | { readonly type: "unproven"; readonly why: string };

const dead = (podUid: string, how: string, outOfMemory = false): Death => ({ type: "dead", how, outOfMemory, podUid });

/**
 * Proof of death of the Run's pod. A phase of Failed alone proves nothing: an evicted or lost pod may still have running
 * processes. `recordedUid` is the UID of the pod that the Run began with.
 */
export function deathOf(observation: RunObservation, recordedUid: string): Death {
  const { run, pod, node } = observation;
  if (saidDead(run) === recordedUid) return dead(recordedUid, "a person confirmed that it is dead");
  if (pod === undefined || pod.metadata.uid !== recordedUid) {
    return { type: "unproven", why: "the pod's object is gone, although its finalizer should have kept it" };
  }
  const proof = proofOfDeath(pod, node);
  return proof === undefined ? { type: "alive" } : dead(recordedUid, proof, allTerminated(pod) && ranOutOfMemory(pod));
}

/** How it is known that nothing of the pod runs any more. `node` is the one that it was given to, undefined where that does not exist. */
export function proofOfDeath(pod: ObservedPod, node: Node | undefined): string | undefined {
  if (allTerminated(pod)) return `all of its containers have ended${saidByKubelet(pod)}`;
  const nodeName = pod.spec?.nodeName;
  const leaving = pod.metadata.deletionTimestamp !== undefined;
  if (nodeName === undefined) return leaving ? "it was deleted before it was given to a node" : undefined;
  if (node === undefined) return `its node ${nodeName} is gone`;
  const isOut = node.spec?.taints?.some(({ key }) => key === "node.kubernetes.io/out-of-service") ?? false;
  return isOut ? `its node ${nodeName} is out of service` : undefined;
}

/** Why the kubelet ended the pod by itself, where it did: for want of disk or memory on its node, or for a limit of its own. */
export function saidByKubelet({ status }: ObservedPod): string {
  const { reason, message } = status ?? {};
  return reason === undefined
    ? ""
    : cutBytes(`; the kubelet says ${[reason, message].filter(Boolean).join(": ")}`, 300);
}

function allTerminated({ metadata, spec, status }: ObservedPod): boolean {
  const statuses = status?.containerStatuses ?? [];
  const expected = spec?.containers.length ?? 0;
  if (statuses.length < expected || !statuses.every(({ state }) => state?.terminated !== undefined)) return false;
  const over = metadata.deletionTimestamp !== undefined || ENDED.has(status?.phase ?? "") || isWithoutSandbox(status);
  return over || !willRestart(statuses);
}

const ENDED = new Set(["Succeeded", "Failed"]);

/** As after a restart of its machine: the kubelet makes no other sandbox for such a pod, and leaves its phase at Running for good. */
function isWithoutSandbox(status: ObservedPod["status"]): boolean {
  return status?.conditions?.some((one) => one.type === "PodReadyToStartContainers" && one.status === "False") ?? false;
}

/** The kubelet starts an agent that failed again: what is in its spool is not lost, and it tells itself how the Run ended. */
function willRestart(statuses: readonly ContainerStatus[]): boolean {
  const agent = statuses.find(({ name }) => name === "agent")?.state?.terminated;
  return agent !== undefined && agent.exitCode !== 0;
}

function ranOutOfMemory({ status }: ObservedPod): boolean {
  return status?.containerStatuses?.some(({ state }) => state?.terminated?.reason === "OOMKilled") ?? false;
}
