import type { RunRules } from "../api/approval.ts";
import type { Operation } from "../api/run.ts";
import type { PlanReport, Verdict } from "../gateway/protocol.ts";

/** What becomes of a plan, by the rules that the Run was made with. Pure and total. */
export function judgePlan(plan: PlanReport, rules: RunRules | undefined, operation: Operation): Verdict {
  const required = rules?.approval?.required ?? 0;
  if (required === 0) {
    return { verdict: "Apply", reason: "NoApprovalNeeded", message: "nobody has to be asked for this plan" };
  }
  const empty = plan.empty && operation === "Apply";
  if (empty)
    return { verdict: "Apply", reason: "NoApprovalNeeded", message: "the plan is empty: there is nothing to ask" };
  const people = required === 1 ? "one person" : `${required} different people`;
  return { verdict: "Hold", reason: "AwaitingApproval", message: `${people} must approve this plan` };
}
