import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Answer } from "../../../operator/approval/expression.ts";
import { factsOf } from "../../../operator/approval/plan-facts.ts";
import { createEvaluator, keepingAnswers } from "../../../operator/expressions/evaluator.ts";
import type { Evaluate, Question } from "../../../operator/expressions/thread.ts";
import { aPlanReport } from "../approval/plans.ts";

const facts = factsOf(aPlanReport(), "Apply");
const never = new AbortController().signal;
const question = (text: string): Question => ({ text, facts });

/** One question at a time, each of which takes a while, as in the thread. */
function slow(ms: number): { readonly evaluate: Evaluate; readonly evaluated: string[] } {
  const evaluated: string[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const turn = async ({ text }: Question, signal: AbortSignal): Promise<Answer> => {
    signal.throwIfAborted();
    await pause(ms);
    evaluated.push(text);
    return { holds: true };
  };
  const evaluate: Evaluate = (asked, signal) => {
    const answer = last.then(() => turn(asked, signal));
    last = answer.catch(() => {});
    return answer;
  };
  return { evaluate, evaluated };
}

describe("the evaluator of expressions", () => {
  it("answers with a thread", async () => {
    const evaluate = createEvaluator();
    assert.deepEqual(await evaluate(question("plan.delete == 0"), never), { holds: true });
    assert.deepEqual(await evaluate(question("plan.delete > 0"), never), { holds: false });
  });

  it("answers each of many who wait for less than all of them take, and ask again", async () => {
    const { evaluate, evaluated } = slow(10);
    const patiently = keepingAnswers(evaluate);
    const texts = Array.from({ length: 30 }, (_, at) => `${at}`);
    const ask = async (text: string): Promise<Answer> => {
      // Ten turns long, and thirty are asked for.
      const answer = await patiently(question(text), AbortSignal.timeout(100)).catch(() => undefined);
      return answer ?? ask(text);
    };
    await Promise.all(texts.map(ask));
    assert.deepEqual(evaluated, texts, "each was evaluated once");
  });

  it("leaves whoever does not wait any more, and answers the others", async () => {
    const { evaluate, evaluated } = slow(50);
    const shared = keepingAnswers(evaluate);
    const hurried = new AbortController();
    const asked = [shared(question("true"), hurried.signal), shared(question("true"), never)];
    hurried.abort(new Error("no time"));
    await assert.rejects(asked[0] ?? assert.fail(), /no time/);
    assert.deepEqual(await asked[1], { holds: true });
    assert.deepEqual(evaluated, ["true"]);
    await assert.rejects(shared(question("false"), hurried.signal), /no time/);
    assert.deepEqual(evaluated, ["true"]);
  });

  it("forgets an answer that nobody asks for, and knows questions by their plans and Runs, too", async () => {
    const { evaluate, evaluated } = slow(1);
    const forgetful = keepingAnswers(evaluate, 50);
    await forgetful(question("true"), never);
    await forgetful({ text: "true", facts: { ...facts, delete: 7n } }, never);
    await forgetful({ ...question("true"), run: "another" }, never);
    assert.equal(evaluated.length, 3);
    await pause(150);
    await forgetful(question("true"), never);
    assert.equal(evaluated.length, 4);
  });

  it("gives up what nobody asks for any more before its turn has come", async () => {
    const { evaluate, evaluated } = slow(100);
    const hurried = keepingAnswers(evaluate, 30);
    const first = hurried(question("first"), never);
    await assert.rejects(hurried(question("abandoned"), AbortSignal.timeout(5)));
    await first;
    assert.deepEqual(await hurried(question("last"), never), { holds: true });
    assert.deepEqual(evaluated, ["first", "last"]);
  });
});
