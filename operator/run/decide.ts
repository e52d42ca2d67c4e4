import { durationMs } from "../api/fields.ts";
import { FINALIZERS } from "../api/names.ts";
import { isClosed } from "../api/run.ts";
import type { RunOutcome, RunPhase } from "../api/run-status.ts";
import { unheardWord } from "../api/said-dead.ts";
import { CANCELLED_BEFORE_IT_BEGAN, cancelledInstead, isBeingCancelled, isToBeCancelled } from "./cancel.ts";
import { decideCheck } from "./check.ts";
import { type Death, deathOf } from "./death.ts";
import { imageAwaitedUntilMs, isImageToRecord } from "./image.ts";
import { decideLeaving, holdsState } from "./leaving.ts";
import { cancelledBy, whyNotNow } from "./not-now.ts";
import type { ObservedPod, RunObservation } from "./observation.ts";
import { phaseNameOf, recordedPod } from "./phase.ts";
import { LOOKS_FOR_PLACE_MS } from "./places.ts";
import { whyPointless } from "./pointless.ts";
import { silenceOf, waitedInVain } from "./silence.ts";
import { whyNotStarted } from "./start-trouble.ts";
import { decideWaiting, supersededOutcome } from "./waiting.ts";

/** What is to be done about a Run now. */
export type RunDecision =
  /** The attempt has ended and nothing holds its record. */
  | { readonly type: "rest" }
  /** The attempt has ended, and nothing more is to be recorded: the pod's and the Run's finalizers are no longer needed. */
  | { readonly type: "letGo"; readonly pods: readonly ObservedPod[] }
  /** The pod has done its part: its object need not be kept for us. */
  | { readonly type: "releasePod"; readonly pod: ObservedPod }
  /** Make the pod; or find the one that was made before and not recorded, by a process that died or was not answered. */
  | { readonly type: "createPod" }
  /** Nothing was begun, and nothing shall be. */
  | { readonly type: "cancel"; readonly outcome: RunOutcome }
  | { readonly type: "wait"; readonly phase: RunPhase; readonly message: string; readonly wakeAtMs?: number }
  /** A person wants it to end: that is written down before anything follows from it. */
  | { readonly type: "hearCancel"; readonly phase: RunPhase }
  /** Ask the pod to end: it has a long grace, in which the engine saves its state. */
  | { readonly type: "stopPod"; readonly pod: ObservedPod; readonly phase: RunPhase; readonly message: string }
  /** The pod should have ended by now, and nothing proves that it has. The store then decides whether the Run may be ended. */
  | { readonly type: "lost"; readonly podUid: string; readonly node: string }
  /** The kubelet tells which image a pod ran, and the record does not hold it yet. */
  | { readonly type: "recordImage" }
  /** A Check is under way or waits for a place, or the kubelet is yet to tell an image: nothing is written, since nobody waits for it. */
  | { readonly type: "await"; readonly wakeAtMs: number | undefined }
  /** A Check is over: its pod is ended, and whatever that still says is not heard. */
  | { readonly type: "drop"; readonly outcome: RunOutcome; readonly pod: ObservedPod | undefined }
  /** The attempt has ended, and its outcome is known. */
  | { readonly type: "close"; readonly outcome: RunOutcome }
  /** The pod is proven dead and left no outcome: the store tells whether it had begun to apply. */
  | {
      readonly type: "closeDead";
      readonly how: string;
      readonly outOfMemory: boolean;
      /** Why the pod never started, where it did not. */
      readonly trouble: string | undefined;
      /** What it has waited for until it was ended, where it did. */
      readonly inVain?: string | undefined;
      /** True: whether it has ended is not known; the store lets it apply no more. */
      readonly isLost?: boolean;
      /** False: the cluster cannot tell. The store then decides whether the Run may be ended. */
      readonly proven: boolean;
      /** The pod that it is proven of, or that a person answers for. */
      readonly podUid?: string;
    };

/** From creation to the first running container; images may have to be pulled. */
const START_DEADLINE_MS = 10 * 60_000;
/** Beyond the timeouts of the phases, which the agent enforces: for fetching, uploading, and a slow gateway. */
const SLACK_MS = 15 * 60_000;

/** Pure and total: what is to be done about a Run now? */
export function decideRun(observation: RunObservation): RunDecision {
  const { run, pod } = observation;
  if (run.spec.operation === "Check") return decideCheck(observation);
  if (isClosed(run)) return afterwards(observation);
  const done = planPodThatIsDone(observation);
  if (done !== undefined)
    return isImageToRecord(run, done) ? { type: "recordImage" } : { type: "releasePod", pod: done };
  const recorded = recordedPod(run);
  if (recorded === undefined)
    return run.status?.heldAt === undefined ? beforePod(observation) : waitingOrTold(observation);
  const death = deathOf(observation, recorded.uid);
  const outcome = run.status?.outcome;
  if (outcome !== undefined && (outcome.result !== "Interrupted" || death.type === "dead")) {
    return { type: "close", outcome: cancelledInstead(run, supersededInstead(run, outcome)) };
  }
  return underWay(observation, death, pod);
}

/** A result that came although no pod is known: somebody else has made that pod, or the Run was ended by the store. */
function waitingOrTold(observation: RunObservation): RunDecision {
  const { outcome } = observation.run.status ?? {};
  if (outcome !== undefined && outcome.result !== "Interrupted") return { type: "close", outcome };
  return decideWaiting(observation);
}

/** Its plan is in the store, and it has ended: another pod goes on. */
function planPodThatIsDone({ run, planPod }: RunObservation): ObservedPod | undefined {
  if (planPod === undefined || !isHeldByUs(run, planPod)) return undefined;
  const statuses = planPod.status?.containerStatuses ?? [];
  const ended = statuses.length > 0 && statuses.every(({ state }) => state?.terminated !== undefined);
  return ended ? planPod : undefined;
}

/** A pod that was asked to end since its plan is not wanted any more did not fail. */
function supersededInstead(run: RunObservation["run"], outcome: RunOutcome): RunOutcome {
  return outcome.reason === "RunnerLost" ? (supersededOutcome(run) ?? outcome) : outcome;
}

const isHeldByUs = (run: RunObservation["run"], { metadata }: ObservedPod): boolean =>
  (metadata.ownerReferences?.some(({ uid }) => uid === run.metadata.uid) ?? false) &&
  (metadata.finalizers?.includes(FINALIZERS.pod) ?? false);

function afterwards(observation: RunObservation): RunDecision {
  const { run, pod, planPod } = observation;
  // A round that knew less may have made a pod after the end: it is refused by the store, and need not be kept.
  const pods = [planPod, pod].filter((one): one is ObservedPod => one !== undefined && isHeldByUs(run, one));
  if (pods.some((one) => isImageToRecord(run, one))) return { type: "recordImage" };
  const awaitedUntilMs = imageAwaitedUntilMs(observation, pods);
  if (awaitedUntilMs !== undefined) return { type: "await", wakeAtMs: awaitedUntilMs };
  const runHeld = run.metadata.finalizers?.includes(FINALIZERS.run) ?? false;
  return pods.length > 0 || runHeld ? { type: "letGo", pods } : { type: "rest" };
}

/** The spec was edited after this Run was decided: a pod that cannot start may be just what the edit is to mend. */
function isOutdated({ run, environment }: RunObservation): boolean {
  const generation = environment?.metadata.generation ?? 0;
  return environment?.metadata.uid === run.spec.environment.uid && generation > run.spec.environment.generation;
}

function beforePod(observation: RunObservation): RunDecision {
  const { run, environment, pod, freePlaces } = observation;
  if (pod !== undefined) return { type: "createPod" };
  const { outcome } = run.status ?? {};
  if (outcome !== undefined && outcome.result !== "Interrupted") return { type: "close", outcome };
  const pointless = whyPointless(run, environment, observation.nowMs);
  if (pointless !== undefined) return { type: "cancel", outcome: { result: "Cancelled", ...pointless } };
  const notNow = whyNotNow(run, environment, observation.nowMs);
  if (notNow !== undefined) return { type: "cancel", outcome: cancelledBy(notNow) };
  const superseded = supersededOutcome(run);
  if (superseded !== undefined) return { type: "cancel", outcome: superseded };
  if (isToBeCancelled(run, environment)) return { type: "cancel", outcome: CANCELLED_BEFORE_IT_BEGAN };
  if (freePlaces > 0) return { type: "createPod" };
  return {
    type: "wait",
    phase: "Pending",
    message: "waits for a free place: the installation's limit of Runs at once is reached",
    wakeAtMs: observation.nowMs + LOOKS_FOR_PLACE_MS,
  };
}

function underWay(observation: RunObservation, death: Death, pod: ObservedPod | undefined): RunDecision {
  const { run, nowMs } = observation;
  const phase = phaseOf(observation);
  const startedMs = Date.parse(recordedPod(run)?.createdAt ?? run.status?.startedAt ?? "") || nowMs;
  const deadlineMs = startedMs + (phase === "Starting" ? START_DEADLINE_MS : longestMs(observation));
  if (death.type === "dead") {
    // While nobody could tell whether the pod had ended, the message spoke of that, and not of why it did not start.
    const wasLost = run.status?.unprovenPod !== undefined;
    const trouble = phase === "Starting" && !wasLost ? run.status?.message : undefined;
    const { type: _dead, ...proof } = death;
    const inVain = pod?.metadata.uid === proof.podUid ? waitedInVain(run, pod, deadlineMs) : undefined;
    return { type: "closeDead", ...proof, trouble, inVain, proven: true };
  }
  if (death.type === "unproven" || pod === undefined) {
    const how = death.type === "unproven" ? death.why : "the pod's object is gone";
    return { type: "closeDead", how, outOfMemory: false, trouble: undefined, proven: false };
  }
  if (isToBeCancelled(run, observation.environment) && !isBeingCancelled(run)) return { type: "hearCancel", phase };
  const trouble = phase === "Starting" ? whyNotStarted(pod) : undefined;
  if (pod.metadata.deletionTimestamp !== undefined) return decideLeaving(observation, { pod, phase, trouble });
  const pointless = phase === "Starting" ? whyPointless(run, observation.environment, nowMs) : undefined;
  if (pointless !== undefined)
    return { type: "stopPod", pod, phase, message: `the pod need not start: ${pointless.message}` };
  const superseded = phase === "Applying" ? undefined : supersededOutcome(run);
  if (superseded !== undefined) return { type: "stopPod", pod, phase, message: superseded.message };
  if (trouble !== undefined && isOutdated(observation)) {
    return { type: "stopPod", pod, phase, message: `${trouble}; the spec has changed since, so another pod is made` };
  }
  if (holdsState(run)) {
    return {
      type: "wait",
      phase,
      message: "a state is only in this pod, since the store does not take it: do not delete the pod",
    };
  }
  if (isBeingCancelled(run)) {
    return { type: "stopPod", pod, phase, message: "cancelled by a person: it is asked to stop, and saves its state" };
  }
  if (nowMs >= deadlineMs) {
    return {
      type: "stopPod",
      pod,
      phase,
      message: trouble ?? "took longer than its timeouts allow and is asked to end",
    };
  }
  const { said, wakeAtMs } = workSaid(observation, phase, pod);
  const message = trouble ?? `${said}${unheardWord(run, pod.metadata.uid)}`;
  return { type: "wait", phase, message, wakeAtMs: Math.min(deadlineMs, wakeAtMs) };
}

/** What is said of a pod that is at work, as far as anybody knows, and until when. */
function workSaid({ run, nowMs }: RunObservation, phase: RunPhase, pod: ObservedPod) {
  const silence = silenceOf(run, pod);
  if (silence !== undefined && nowMs >= silence.sayAtMs)
    return { said: silence.message, wakeAtMs: Number.POSITIVE_INFINITY };
  return { said: workText(phase), wakeAtMs: silence?.sayAtMs ?? Number.POSITIVE_INFINITY };
}

function longestMs({ run }: RunObservation): number {
  const { plan, apply } = run.spec.inputs.timeouts;
  return durationMs(plan) + durationMs(apply) + SLACK_MS;
}

function phaseOf({ run, pod }: RunObservation): RunPhase {
  if (run.status?.applyStartedAt !== undefined) return "Applying";
  const agent = pod?.status?.containerStatuses?.find(({ name }) => name === "agent");
  const begun = agent?.state?.running !== undefined || agent?.state?.terminated !== undefined;
  if (phaseNameOf(run) === "Apply") return begun ? "Applying" : "Starting";
  return begun || run.status?.progress !== undefined || run.status?.phase === "Planning" ? "Planning" : "Starting";
}

function workText(phase: RunPhase): string {
  if (phase === "Starting") return "the pod starts";
  return phase === "Applying" ? "the plan is applied" : "the plan is made";
}
