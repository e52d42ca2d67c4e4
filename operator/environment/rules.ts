import type { ApprovalRules, RunRules } from "../api/approval.ts";
import type { Environment } from "../api/environment.ts";
import type { Operation } from "../api/run.ts";

/**
 * The rules in force for a Run that is made now. `own` are the component's own ones, which take the Environment's place; of a component
 * whose declaration is gone, those that it was applied with: removing it from the spec must not loosen them.
 */
export function rulesFor({ spec }: Environment, own: ApprovalRules | undefined, operation: Operation): RunRules {
  const rules = own ?? spec.approval;
  if (rules === undefined) return {};
  const { required } = operation === "Destroy" ? (rules.destroy ?? rules) : rules;
  return required === 0 ? {} : { approval: { required, expiresAfter: rules.planExpiresAfter } };
}

/** Somebody else than the one who wrote the spec has to agree. */
export function asksPeople({ approval }: RunRules): boolean {
  return (approval?.required ?? 0) > 0;
}
