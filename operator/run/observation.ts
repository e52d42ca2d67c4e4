import type { Approval } from "../api/approval.ts";
import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import type { Node, Pod } from "../cluster/kinds.ts";

/** What is looked up about a Run, which takes a while. */
export interface RunSeen {
  readonly run: Run;
  /** The Environment under the Run's name, whatever its UID; absent when it is gone. */
  readonly environment: Environment | undefined;
  /** The pod under the name of the Run's pod in its present phase, whatever its UID; of a Run that was let go, if the cache has it. */
  readonly pod: ObservedPod | undefined;
  /** The pod that made the plan, while another one applies it or is to do so. */
  readonly planPod: ObservedPod | undefined;
  /** The node that the pod was given to; absent when the node is gone, or the pod has none. */
  readonly node: Node | undefined;
  /** Every Approval that names the Run. */
  readonly approvals: readonly Approval[];
  /** What is declared now, and what it rests on, say about its plan that waits and is approved. */
  readonly standing: PlanStanding;
  /** A newer Run of the component exists that is no Check. */
  readonly isOvertaken: boolean;
  /** Wall clock, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** All that a decision about a Run may depend on. */
export interface RunObservation extends RunSeen {
  /** Places for further pods, by the installation's limit. The rounds of other Runs take some while this one looks things up. */
  readonly freePlaces: number;
}

/** Whether a plan that waits is still the one that is wanted, and may be applied now. */
export type PlanStanding =
  | { readonly type: "stands" }
  /** Something that the component needs is being changed: a clause for a person. */
  | { readonly type: "heldBack"; readonly why: string }
  /** It is not wanted any more: a clause for a person. */
  | { readonly type: "void"; readonly why: string };

export type ObservedPod = Pod & { readonly metadata: { readonly uid: string } };
