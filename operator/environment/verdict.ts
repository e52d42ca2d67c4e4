import type { Reason } from "../api/conditions.ts";
import type { ComponentState } from "../api/environment-status.ts";
import type { Run, RunSpec } from "../api/run.ts";
import type { ComponentPast } from "./observation.ts";

/** What is to be done about one component now. Each step is safe to repeat. */
export type Step =
  | { readonly type: "none" }
  | {
      readonly type: "startRun";
      readonly spec: RunSpec;
      /** A person's reason for beginning although no window is open. */
      readonly outsideWindows?: string;
    }
  /** The state moves from the component's former name. */
  | { readonly type: "renameState"; readonly from: string; readonly to: string }
  /** The plan of this Run is no longer wanted: it ends without being applied. */
  | { readonly type: "supersede"; readonly run: Run; readonly why: string }
  /** Nothing exists any more: the record goes. */
  | { readonly type: "forgetState" }
  /** What exists is kept and belongs to nobody. */
  | { readonly type: "releaseState" };

/** One component's answer: where it stands, why, and what is to be done. */
export interface Verdict {
  readonly name: string;
  readonly state: ComponentState;
  readonly reason: Reason;
  /** For a person; holds no clocks and nothing that changes by itself. */
  readonly message: string;
  readonly step: Step;
  /** Applied as declared, and nothing under way that changes it: others may build on it. A correction of drift counts only when it begins to apply. */
  readonly satisfied: boolean;
  /** Why the plan that waits may not be applied yet, whatever people say. */
  readonly heldBack?: string;
  /** Come back at this moment (wall clock, ms), even if nothing changes. */
  readonly wakeAtMs?: number;
  /** That moment is when the next try begins: it is shown. */
  readonly retries?: number;
  readonly past: ComponentPast;
}

/** What is declared of it is applied, also while a plan waits, or goes, that would only bring back what somebody has changed in the world. */
export const isAsDeclared = ({ state, satisfied }: Verdict): boolean =>
  state === "Ready" || (satisfied && state !== "Destroyed");

/** What is wrong with the Environment as a whole, where each component may be well. */
export interface Trouble {
  readonly reason: Reason;
  readonly message: string;
}

export type Answer = Omit<Verdict, "name" | "past" | "satisfied" | "step"> & {
  readonly satisfied?: boolean;
  readonly step?: Step;
};

export function verdictOf(past: ComponentPast, answer: Answer): Verdict {
  return { satisfied: false, step: { type: "none" }, ...answer, name: past.name, past };
}
