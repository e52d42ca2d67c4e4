import type { ApprovalRules, RunRules } from "../api/approval.ts";
import type { PlanCounts } from "../api/run-status.ts";

/** How many people must agree, and to what they need not. */
export type Rule = Pick<ApprovalRules, "required" | "unless">;

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

/** One rule that is met only where both are: the greater number, and an expression that is true only where that of each rule that asks is true. */
export function bothOf(one: Rule, other: Rule): Rule {
  const asking = [one, other].filter(({ required }) => required > 0);
  const texts = [...new Set(asking.flatMap(({ unless }) => unless ?? []))];
  const exemptsNothing = asking.length === 0 || asking.some(({ unless }) => unless === undefined);
  const [text] = texts;
  const unless = texts.length === 1 ? text : texts.map((each) => `(${each})`).join(" && ");
  return {
    required: Math.max(one.required, other.required),
    ...(exemptsNothing || unless === undefined ? {} : { unless }),
  };
}
