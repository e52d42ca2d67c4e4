import { type RunPhase, UNSAVED_STATE_STEP } from "../api/run-status.ts";
import { unheardWord } from "../api/said-dead.ts";
import type { RunDecision } from "./decide.ts";
import type { ObservedPod, RunObservation } from "./observation.ts";

/** Beyond the pod's grace, at whose end the kubelet kills what is left, and says so: clocks differ, and a kubelet may be slow. */
const UNTIL_LOST_MS = 5 * 60_000;

interface Leaving {
  readonly pod: ObservedPod;
  readonly phase: RunPhase;
  /** Why the pod does not start, where it does not. */
  readonly trouble: string | undefined;
}

/**
 * A pod was asked to end, and is not proven dead. Kubernetes dates its deletion at the end of its grace. On a node that is lost it shows running
 * containers for ever, which proves nothing: the store then decides whether the Run may be ended.
 */
export function decideLeaving({ run, nowMs }: RunObservation, { pod, phase, trouble }: Leaving): RunDecision {
  const { metadata, spec } = pod;
  const node = spec?.nodeName ?? "";
  if (holdsState(run)) {
    const message = `a state is only in this pod, which was asked to end: let the store take it, and do not give up its node ${node}`;
    return { type: "wait", phase, message };
  }
  const wakeAtMs = (Date.parse(metadata.deletionTimestamp ?? "") || nowMs) + UNTIL_LOST_MS;
  if (nowMs >= wakeAtMs) return { type: "lost", podUid: metadata.uid, node };
  const message = `the pod was asked to end; the engine finishes and saves its state${unheardWord(run, metadata.uid)}`;
  return { type: "wait", phase, message: trouble ?? message, wakeAtMs };
}

/** Its result is told only when no state is in the pod alone any more; the last word of its progress may be older. */
export const holdsState = ({ status }: RunObservation["run"]): boolean =>
  status?.outcome === undefined && status?.progress?.step === UNSAVED_STATE_STEP;
