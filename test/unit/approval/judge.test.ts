import assert from "node:assert/strict";
import fc from "fast-check";
import type { RunRules } from "../../../operator/api/approval.ts";
import { type Answer, evaluateExpression } from "../../../operator/approval/expression.ts";
import { judgePlan, questionAbout } from "../../../operator/approval/judge.ts";
import type { PlanReport } from "../../../operator/gateway/protocol.ts";
import { aPlanReport } from "./plans.ts";

const asking = (unless?: string): RunRules => ({
  approval: { required: 2, expiresAfter: "24h", ...(unless === undefined ? {} : { unless }) },
});

const deletion = aPlanReport({
  counts: { create: 0, update: 0, replace: 0, delete: 1 },
  changes: [{ address: "aws_db_instance.main", type: "aws_db_instance", action: "delete", attributes: ["id"] }],
});
const update = aPlanReport({
  counts: { create: 0, update: 1, replace: 0, delete: 0 },
  changes: [{ address: "aws_instance.a", type: "aws_instance", action: "update", attributes: ["tags.Owner"] }],
});

/** As the gateway does it: ask the expression where it matters, then judge. */
function judged(plan: PlanReport, rules: RunRules | undefined, operation: "Apply" | "Destroy" = "Apply") {
  const question = questionAbout(plan, rules, operation);
  const answer = question === undefined ? undefined : evaluateExpression(question.text, question.facts);
  return judgePlan(plan, rules, operation, answer);
}

describe("a plan is judged", () => {
  const safe = "plan.delete == 0 && plan.replace == 0";
  const cases: readonly [string, PlanReport, RunRules | undefined, string, RegExp][] = [
    ["and applied where there are no rules", deletion, undefined, "Apply", /nobody has to be asked/],
    ["and held where people are asked", update, asking(), "Hold", /^2 different people must approve this plan$/],
    ["and applied where unless is true", update, asking(safe), "Apply", /approval\.unless is true for it/],
    ["and held where unless is false", deletion, asking(safe), "Hold", /approval\.unless is false for it/],
    [
      "and held where unless fails on it",
      update,
      asking("plan.changes[9].type == 'x'"),
      "Hold",
      /unless failed on it \(.+\)/,
    ],
    ["and held where unless is no yes or no", update, asking("plan.update"), "Hold", /neither true nor false/],
    ["and held where unless does not compile", update, asking("plan.updates == 1"), "Hold", /plan has no updates/],
    ["and applied where it is empty", { ...update, empty: true }, asking(), "Apply", /empty/],
    [
      "and refused where it destroys what is protected",
      deletion,
      { protect: ["aws_db_*"] },
      "Refuse",
      /aws_db_instance\.main/,
    ],
    ["and refused where it destroys too much", deletion, { maxDeletes: 0 }, "Refuse", /maxDeletes is 0/],
    [
      "and refused whatever unless says and whoever would approve",
      deletion,
      { ...asking("true"), protect: ["*"] },
      "Refuse",
      /protect/,
    ],
    [
      "and held where not every change is listed",
      { ...update, changesTruncated: true },
      asking(safe),
      "Hold",
      /more than can be listed/,
    ],
  ];
  for (const [what, plan, rules, verdict, message] of cases) {
    it(what, () => {
      const answer = judged(plan, rules);
      assert.equal(answer.verdict, verdict);
      assert.match(answer.message, message);
    });
  }

  it("by the stricter rule where it destroys and does nothing else", () => {
    const rules = {
      approval: { required: 0, expiresAfter: "24h", destroy: { required: 2, unless: "plan.delete < 1" } },
    };
    assert.equal(judged(deletion, rules).verdict, "Hold");
    assert.match(
      judged(deletion, rules).message,
      /^2 different people must approve this plan: approval\.unless is false/,
    );
    const counts = { create: 1, update: 0, replace: 0, delete: 1 };
    assert.equal(judged({ ...deletion, counts }, rules).verdict, "Apply", "it does something else, too");
    const forgetting = { ...deletion, counts: { create: 0, update: 0, replace: 0, delete: 0 } };
    assert.equal(judged(forgetting, rules).verdict, "Apply", "nothing is destroyed");
    assert.equal(
      judged(deletion, { approval: { ...rules.approval, destroy: { required: 1, unless: "true" } } }).verdict,
      "Apply",
    );
  });

  it("and held where an agent lists no changes", () => {
    const { changes: _none, ...silent } = update;
    assert.equal(judged(silent, asking("true")).verdict, "Hold");
  });

  it("by the same rules where everything is to go", () => {
    assert.equal(judged(deletion, { protect: ["aws_db_instance"] }, "Destroy").verdict, "Refuse");
    assert.equal(judged(deletion, asking("plan.operation == 'Destroy'"), "Destroy").verdict, "Apply");
    assert.equal(judged({ ...aPlanReport(), empty: true }, asking(), "Destroy").verdict, "Apply");
  });

  it("without asking the expression where its answer changes nothing", () => {
    assert.equal(questionAbout(update, asking(), "Apply"), undefined);
    assert.equal(
      questionAbout(update, { approval: { required: 0, expiresAfter: "1h", unless: "true" } }, "Apply"),
      undefined,
    );
    assert.equal(questionAbout(deletion, { ...asking("true"), maxDeletes: 0 }, "Apply"), undefined);
  });

  it("and is never applied without people on a doubt", () => {
    const answer = fc.oneof(
      fc.constant<Answer | undefined>(undefined),
      fc.record({ failed: fc.string() }),
      fc.constant<Answer>({ holds: false }),
    );
    const count = fc.nat(3);
    fc.assert(
      fc.property(
        answer,
        count,
        count,
        fc.boolean(),
        fc.integer({ min: 1, max: 10 }),
        (exempt, some, removed, cut, required) => {
          const plan = aPlanReport({
            counts: { create: some, update: 0, replace: 0, delete: removed },
            changesTruncated: cut,
          });
          const rules = { approval: { required, expiresAfter: "1h", unless: "true" } };
          assert.equal(judgePlan(plan, rules, "Apply", exempt).verdict, "Hold");
        },
      ),
    );
  });
});
