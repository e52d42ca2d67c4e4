import assert from "node:assert/strict";
import type { RunRules } from "../../../operator/api/approval.ts";
import type { Answer } from "../../../operator/approval/expression.ts";
import { judgeFor } from "../../../operator/assembly/judge.ts";
import { ENVIRONMENTS } from "../../../operator/cluster/resources.ts";
import { createExpressionThread } from "../../../operator/expressions/thread.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aComponent, anEnvironment, aRun, CATALOGUE } from "../../fakes/objects.ts";
import { aPlanReport } from "../approval/plans.ts";
import { specOf } from "../gateway/gateway-world.ts";

const signal = new AbortController().signal;
const nothingElse = { store: memoryStore(), catalogue: CATALOGUE };
const approval = { required: 1, unless: "plan.delete == 0", expiresAfter: "24h" };

/** A judge, and what it asked of the thread for expressions. */
function aJudge(answer: Answer) {
  const client = fakeKubeClient();
  client.seed(ENVIRONMENTS, anEnvironment([aComponent("network")]) as never);
  const asked: string[] = [];
  const judge = judgeFor({
    ...nothingElse,
    client,
    clock: systemClock,
    async evaluate({ text, facts }) {
      asked.push(`${text} of ${facts.delete} deletions`);
      return answer;
    },
  });
  const run = (rules?: RunRules) => aRun(specOf("network", 1, rules === undefined ? {} : { rules }));
  const plan = aPlanReport({ counts: { create: 1, update: 0, replace: 0, delete: 0 } });
  return {
    asked,
    judged: async (rules?: RunRules) => judge(plan, run(rules), { phase: "Plan", signal }),
  };
}

describe("The judge of plans by rules", () => {
  it("asks the expression of the Run's own rules, and lets the plan through where it is true", async () => {
    const { asked, judged } = aJudge({ holds: true });
    assert.equal((await judged({ approval })).verdict, "Apply");
    assert.deepEqual(asked, ["plan.delete == 0 of 0 deletions"]);
  });

  it("asks people where the expression had to be stopped, and says so", async () => {
    const { judged } = aJudge({ failed: "it takes longer than 1000 ms" });
    const verdict = await judged({ approval });
    assert.equal(verdict.verdict, "Hold");
    assert.match(verdict.message, /approval\.unless failed on it \(it takes longer than 1000 ms\)/);
  });

  it("keeps a plan of an Environment that was suspended while the expression was evaluated", async () => {
    const client = fakeKubeClient();
    const environment = anEnvironment([aComponent("network")]);
    client.seed(ENVIRONMENTS, environment as never);
    const judge = judgeFor({
      ...nothingElse,
      client,
      clock: systemClock,
      async evaluate() {
        client.seed(ENVIRONMENTS, { ...environment, spec: { ...environment.spec, suspend: true } } as never);
        return { holds: true };
      },
    });
    const verdict = await judge(aPlanReport(), aRun(specOf("network", 1, { rules: { approval } })), {
      phase: "Plan",
      signal,
    });
    assert.equal(verdict.verdict, "Hold");
  });

  it("asks people after a second, whatever an expression does", async function () {
    this.timeout(30_000);
    const numbers = `[${Array.from({ length: 100 }, (_, at) => at).join(",")}]`;
    const unless = ["a", "b", "c", "d", "e"].reduceRight((inner, name) => `${numbers}.all(${name}, ${inner})`, "true");
    const client = fakeKubeClient();
    client.seed(ENVIRONMENTS, anEnvironment([aComponent("network")]) as never);
    const run = aRun(specOf("network", 1, { rules: { approval: { ...approval, unless } } }));
    const began = performance.now();
    const verdict = await judgeFor({ ...nothingElse, client, clock: systemClock, evaluate: createExpressionThread() })(
      aPlanReport(),
      run,
      { phase: "Plan", signal },
    );
    assert.match(
      verdict.message,
      /one person must approve this plan: approval\.unless failed on it \(it takes longer than 1000 ms\)/,
    );
    assert.ok(performance.now() - began < 20_000);
  });

  it("asks nothing where there is no expression, or nobody to be asked", async () => {
    const { asked, judged } = aJudge({ holds: true });
    assert.equal((await judged()).verdict, "Apply");
    assert.equal((await judged({ approval: { required: 1, expiresAfter: "24h" } })).verdict, "Hold");
    assert.deepEqual(asked, []);
  });
});
