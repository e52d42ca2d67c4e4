import assert from "node:assert/strict";
import { factsOf } from "../../../operator/approval/plan-facts.ts";
import { createExpressionThread } from "../../../operator/expressions/thread.ts";
import { aPlanReport } from "../approval/plans.ts";

const facts = factsOf(aPlanReport(), "Apply");
const never = new AbortController().signal;
const hundred = `[${Array.from({ length: 100 }, (_, at) => at).join(",")}]`;
/** A hundred to the fifth steps. */
const endless = ["a", "b", "c", "d", "e"].reduceRight((inner, name) => `${hundred}.all(${name}, ${inner})`, "true");
/** A list of lists of lists: a hundred million numbers. */
const greedy = `size(${hundred}.map(a, ${hundred}.map(b, ${hundred}.map(c, ${hundred}.map(d, d))))) > 0`;

describe("the thread for expressions", function () {
  this.timeout(30_000);

  it("answers", async () => {
    const evaluate = createExpressionThread({ deadlineMs: 10_000 });
    assert.deepEqual(await evaluate({ text: "plan.delete == 0", facts }, never), { holds: true });
    assert.deepEqual(await evaluate({ text: "plan.delete > 0", facts }, never), { holds: false });
    assert.match(JSON.stringify(await evaluate({ text: "plan.delete", facts }, never)), /neither true nor false/);
  });

  it("stops an expression that takes too long, while the process goes on, and answers the next", async () => {
    const evaluate = createExpressionThread({ deadlineMs: 300 });
    let beats = 0;
    const heart = setInterval(() => beats++, 10);
    assert.deepEqual(await evaluate({ text: endless, facts }, never), { failed: "it takes longer than 300 ms" });
    clearInterval(heart);
    assert.ok(beats > 3, `${beats} beats`);
    const patient = createExpressionThread({ deadlineMs: 3_000 });
    const [late, next] = await Promise.all([
      patient({ text: endless, facts }, never),
      patient({ text: "plan.delete == 0", facts }, never),
    ]);
    assert.deepEqual([late, next], [{ failed: "it takes longer than 3000 ms" }, { holds: true }]);
  });

  it("stops an expression that takes too much memory", async () => {
    const evaluate = createExpressionThread({ deadlineMs: 20_000, heapMb: 32 });
    const answer = await evaluate({ text: greedy, facts }, never);
    assert.ok("failed" in answer, JSON.stringify(answer));
    assert.deepEqual(await evaluate({ text: "true", facts }, never), { holds: true });
  });

  it("does not begin what nobody waits for any more", async () => {
    const evaluate = createExpressionThread({ deadlineMs: 10_000 });
    await assert.rejects(evaluate({ text: "true", facts }, AbortSignal.abort()));
    assert.deepEqual(await evaluate({ text: "true", facts }, never), { holds: true });
  });
});
