import type { Run } from "../api/run.ts";
import type { ObservedPod } from "./observation.ts";
import { phaseNameOf, recordedPod } from "./phase.ts";

/** A healthy agent claims its work as soon as its container runs, and tells its first step a second later. */
const USUALLY_HEARD_MS = 2 * 60_000;

const MAY_REACH = "may pods of this namespace reach it (network policies, DNS)?";

/** An agent runs, and the gateway has told nothing of it: it was not reached, or has given no work. */
export interface Silence {
  /** When that begins to be worth a word (wall clock, ms). */
  readonly sayAtMs: number;
  readonly message: string;
}

export function silenceOf(run: Run, pod: ObservedPod): Silence | undefined {
  const startedAt = agentOf(pod)?.running?.startedAt;
  // Not every kubelet says when.
  if (!startedAt || isHeardOf(run)) return undefined;
  const { name, namespace } = pod.metadata;
  // What to check comes first: the status cuts long messages.
  const message = `its agent has got no work from the gateway since ${startedAt}: ${MAY_REACH} See kubectl logs ${name} -n ${namespace} -c agent`;
  return { sayAtMs: beganMs(pod, startedAt) + USUALLY_HEARD_MS, message };
}

/** Of a pod whose containers have ended: what it has waited for in vain, as far as that can be known without its log. */
export function waitedInVain(run: Run, pod: ObservedPod, deadlineMs: number): string | undefined {
  const { startedAt, finishedAt } = agentOf(pod)?.terminated ?? {};
  if (!startedAt || !finishedAt) return undefined;
  const endedMs = Date.parse(finishedAt);
  if (!isHeardOf(run) && endedMs >= beganMs(pod, startedAt) + USUALLY_HEARD_MS)
    return `its agent has never got work from the gateway: ${MAY_REACH}`;
  if (endedMs < deadlineMs) return undefined;
  return "its agent was still at work when its time was over: does the store take what it sends (a quota, the operator's log)?";
}

const agentOf = ({ status }: ObservedPod) => status?.containerStatuses?.find(({ name }) => name === "agent")?.state;

/** The clock of a node may be behind that of the API server. */
const beganMs = ({ metadata }: ObservedPod, startedAt: string): number =>
  Math.max(Date.parse(startedAt), Date.parse(metadata.creationTimestamp ?? startedAt));

/** All of this is written by the gateway. Of a Run whose plan has waited, what was heard of its first pod says nothing about the second. */
function isHeardOf(run: Run): boolean {
  const { progress, plan, applyStartedAt, outcome } = run.status ?? {};
  if ((applyStartedAt ?? outcome) !== undefined) return true;
  if (phaseNameOf(run) === "Plan") return (progress ?? plan) !== undefined;
  return Date.parse(progress?.updatedAt ?? "") > Date.parse(recordedPod(run)?.createdAt ?? "");
}
