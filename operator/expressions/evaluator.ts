/**
 * Whoever has waited too long for an answer asks again, as runner pods do. It gets the answer to what it asked before, and
 * takes no second turn: with one for each try, many questions at once would never be answered in anybody's time.
 */
import { hash } from "node:crypto";
import type { Answer } from "../approval/expression.ts";
import { createExpressionThread, type Evaluate, type Question } from "./thread.ts";

/** Far longer than anybody takes to ask again. */
const REMEMBERED_MS = 60_000;

export const createEvaluator = (): Evaluate => rememberingAnswers(createExpressionThread());

export function rememberingAnswers(evaluate: Evaluate, rememberedMs = REMEMBERED_MS): Evaluate {
  const answers = new Map<string, Promise<Answer>>();

  const ask = (question: Question, key: string): Promise<Answer> => {
    // Not given up with whoever asked first: others may wait for it by then.
    const answer = evaluate(question, new AbortController().signal);
    answers.set(key, answer);
    const forget = () => answers.delete(key);
    answer.then(() => setTimeout(forget, rememberedMs).unref(), forget);
    return answer;
  };
  return (question, signal) => {
    if (signal.aborted) return Promise.reject(signal.reason);
    const key = keyOf(question);
    return unlessAborted(answers.get(key) ?? ask(question, key), signal);
  };
}

/** Counts of a plan are integers of CEL, which JSON does not know. */
const keyOf = (question: Question): string =>
  hash(
    "sha256",
    JSON.stringify(question, (_name, value) => (typeof value === "bigint" ? `${value}n` : value)),
  );

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
