import type { Reason } from "../../../operator/api/conditions.ts";
import type { ComponentState } from "../../../operator/api/environment-status.ts";
import type { ComponentPast } from "../../../operator/environment/observation.ts";
import { type Verdict, verdictOf } from "../../../operator/environment/verdict.ts";

/** Of a component of which nothing is known. */
export function aPast(name: string, more: Partial<ComponentPast> = {}): ComponentPast {
  const none = { runs: [], formerRuns: [], checks: [], latest: undefined, open: undefined, record: undefined };
  return { name, ...none, nextNumber: 1, ...more };
}

export function aVerdict(name: string, state: ComponentState, reason: Reason, more: Partial<Verdict> = {}): Verdict {
  return { ...verdictOf(aPast(name), { state, reason, message: `${name} says ${reason}` }), ...more };
}
