import type { Approval } from "../api/approval.ts";
import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import type { RunOutcome, RunStatus } from "../api/run-status.ts";
import type { Node } from "../cluster/kinds.ts";
import type { RunEnd, WhyEnded } from "../storage/run-end.ts";
import type { ObservedPod, PlanStanding } from "./observation.ts";
import type { RunPhaseName } from "./pod.ts";

/** The answer to the wish for a pod. */
export type PodMade =
  | { readonly type: "made"; readonly pod: ObservedPod }
  /** Somebody else's pod has that name. */
  | { readonly type: "foreign"; readonly name: string }
  /** Kubernetes refuses it: quota, admission, a missing ServiceAccount. */
  | { readonly type: "rejected"; readonly message: string }
  /** A webhook in between is away: nobody has refused it. */
  | { readonly type: "hindered"; readonly webhook: string; readonly error: unknown }
  /** The operator may not make pods: that is not this Run's fault, and no later one's. */
  | { readonly type: "rightMissing"; readonly message: string };

/** What the Run controller uses of the world. */
export interface RunPorts {
  readonly now: () => Date;

  /** From caches. */
  run(namespace: string, name: string): Run | undefined;
  environment(namespace: string, name: string): Environment | undefined;
  approvalsOf(run: Run): readonly Approval[];
  /** Of a Run whose plan is approved: is it still wanted, and may it be applied now? */
  standingOf(run: Run): PlanStanding;
  /** From the cache; a quorum read where the cache has none, since a missing node is a proof. */
  node(name: string, signal: AbortSignal): Promise<Node | undefined>;
  /** Is there a newer Run of the component that is no Check? */
  isOvertaken(run: Run): boolean;
  /** Places that this Run may take: its own is not held against it. */
  freePlaces(run: Run): number;
  /** From the cache; a quorum read where the cache has no such pod and `recordedUid` says that there was one. */
  pod(
    namespace: string,
    name: string,
    recordedUid: string | undefined,
    signal: AbortSignal,
  ): Promise<ObservedPod | undefined>;

  /** From the cache: the pods of a Run of that name, whether there is one or not. */
  podsOf(namespace: string, run: string): readonly ObservedPod[];
  /** A quorum read: is there no Run of that name? */
  isGone(namespace: string, run: string, signal: AbortSignal): Promise<boolean>;

  /** A quorum read: is there any pod under the name of this phase? */
  hasPod(run: Run, phase: RunPhaseName, signal: AbortSignal): Promise<boolean>;
  /** Makes the pod, or finds the one that this operator made for this Run and phase before. */
  makePod(run: Run, phase: RunPhaseName, signal: AbortSignal): Promise<PodMade>;
  /** Writes down for which reason of a person the Run goes on outside of the windows, and tells it once. */
  noteOverride(run: Run, environment: Environment, reason: string, signal: AbortSignal): Promise<void>;
  /** Asks the pod to end, with its whole grace period. */
  stopPod(pod: ObservedPod, signal: AbortSignal): Promise<void>;
  releasePod(pod: ObservedPod, signal: AbortSignal): Promise<void>;
  releaseRun(run: Run, signal: AbortSignal): Promise<void>;
  /** Deletes the ended pods of earlier Runs of the component: the newest Run's are kept, for their logs. */
  deleteEarlierPods(run: Run, signal: AbortSignal): Promise<void>;
  endRun(run: Run, end: WhyEnded, signal: AbortSignal): Promise<RunEnd>;
  /** A quorum read of the store: since when does a plan of this Run wait there? */
  heldSince(run: Run, signal: AbortSignal): Promise<string | undefined>;
  /** A quorum read of the store: is the result of this Run there, and nothing of it at work any more? */
  hasReported(run: Run, signal: AbortSignal): Promise<boolean>;
  /** What a dead pod had done and not stored: for the record of an interruption. */
  journalOf(run: Run, signal: AbortSignal): Promise<RunOutcome["journal"]>;
  /**
   * Writes this controller's part of the status, unless it says so already. False also where the Run has changed since it was looked at:
   * the next round decides on what it is now.
   */
  writeStatus(run: Run, status: RunStatus, signal: AbortSignal): Promise<boolean>;
  /** Tells people and metrics that a Run has ended. */
  announceEnd(run: Run, outcome: RunOutcome): void;
}
