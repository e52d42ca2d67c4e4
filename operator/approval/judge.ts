import type { RunRules } from "../api/approval.ts";
import { rulesForPlan } from "../api/rules-for-plan.ts";
import type { Operation } from "../api/run.ts";
import type { PlanReport, Verdict } from "../gateway/protocol.ts";
import type { Answer } from "./expression.ts";
import { factsOf, type PlanFacts } from "./plan-facts.ts";
import { offenceOf } from "./protection.ts";

/** What an expression is asked about a plan. */
export interface Question {
  readonly text: string;
  readonly facts: PlanFacts;
}

/**
 * What becomes of a plan, by the rules that the Run was made with. Pure and total. `exempt` is what `unless` says about it: see `questionAbout`.
 * First what nobody can allow, then whether anybody has to be asked. Every doubt asks people.
 */
export function judgePlan(
  plan: PlanReport,
  rules: RunRules | undefined,
  operation: Operation,
  exempt?: Answer,
): Verdict {
  const offence = offenceOf(plan, rules ?? {});
  if (offence !== undefined) return { verdict: "Refuse", ...offence };
  const { required = 0, unless } = rulesForPlan(rules, plan.counts)?.approval ?? {};
  if (required === 0) return unasked("nobody has to be asked for this plan");
  if (plan.empty) return unasked("the plan is empty: there is nothing to ask");
  if (exempt !== undefined && "holds" in exempt && exempt.holds) {
    return unasked("nobody has to be asked for this plan: approval.unless is true for it");
  }
  const people = required === 1 ? "one person" : `${required} different people`;
  const what = operation === "Destroy" ? "that everything is destroyed" : "this plan";
  return {
    verdict: "Hold",
    reason: "AwaitingApproval",
    message: `${people} must approve ${what}${doubtAbout(plan, unless, exempt)}`,
  };
}

/** What `unless` must be asked before the plan is judged; undefined where its answer changes nothing. */
export function questionAbout(
  plan: PlanReport,
  rules: RunRules | undefined,
  operation: Operation,
): Question | undefined {
  const text = rulesForPlan(rules, plan.counts)?.approval?.unless;
  if (text === undefined || !isListed(plan)) return undefined;
  if (judgePlan(plan, rules, operation).verdict !== "Hold") return undefined;
  return { text, facts: factsOf(plan, operation) };
}

const unasked = (message: string): Verdict => ({ verdict: "Apply", reason: "NoApprovalNeeded", message });

const isListed = ({ changes, changesTruncated }: PlanReport): boolean =>
  changes !== undefined && changesTruncated !== true;

function doubtAbout(plan: PlanReport, unless: string | undefined, exempt: Answer | undefined): string {
  if (unless === undefined) return "";
  if (!isListed(plan)) return ": it changes more than can be listed, so approval.unless was not asked";
  if (exempt === undefined) return ": approval.unless was not asked";
  return "failed" in exempt ? `: approval.unless failed on it (${exempt.failed})` : ": approval.unless is false for it";
}
