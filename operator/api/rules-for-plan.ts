import type { RunRules } from "./approval.ts";
import type { PlanCounts } from "./run-status.ts";

/** The rules that count for a plan of these counts: an ordinary one that destroys and does nothing else falls under the stricter rule. */
export function rulesForPlan(rules: RunRules | undefined, counts: PlanCounts | undefined): RunRules | undefined {
  const { approval } = rules ?? {};
  if (approval?.destroy === undefined || counts === undefined || !onlyDestroys(counts)) return rules;
  const { destroy, expiresAfter } = approval;
  return { ...rules, approval: { ...destroy, expiresAfter } };
}

/** How many people must agree to a plan of these counts. */
export function requiredFor(rules: RunRules | undefined, counts: PlanCounts | undefined): number {
  return rulesForPlan(rules, counts)?.approval?.required ?? 0;
}

const onlyDestroys = ({ create, update, replace, delete: removed }: PlanCounts): boolean =>
  removed > 0 && create + update + replace === 0;
