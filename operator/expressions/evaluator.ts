/**
 * Whoever has waited too long for an answer asks again, as runner pods do. It gets the answer to what it asked before, and
 * takes no second turn: with one for each try, many questions at once would never be answered in anybody's time.
 */
import { hash } from "node:crypto";
import type { Answer } from "../approval/expression.ts";
import { createExpressionThread, type Evaluate, type Question } from "./thread.ts";

/** Since somebody asked last: far longer than a runner pod takes to ask again, which is 25 s with the largest plan. */
const KEPT_MS = 60_000;

interface Asked {
  readonly answer: Promise<Answer>;
  /** Gives it up where its turn has not come. */
  readonly giveUp: () => void;
  forgetting?: NodeJS.Timeout;
}

export const createEvaluator = (): Evaluate => keepingAnswers(createExpressionThread());

/** What nobody has asked for a while is forgotten, and not evaluated any more. */
export function keepingAnswers(evaluate: Evaluate, keptMs = KEPT_MS): Evaluate {
  const known = new Map<string, Asked>();
  return (question, signal) => {
    if (signal.aborted) return Promise.reject(signal.reason);
    const key = keyOf(question);
    const asked = known.get(key) ?? ask(evaluate, question);
    known.set(key, asked);
    clearTimeout(asked.forgetting);
    asked.forgetting = setTimeout(() => {
      known.delete(key);
      asked.giveUp();
    }, keptMs).unref();
    return unlessAborted(asked.answer, signal);
  };
}

/** Not given up with whoever asked first: it asks again. */
function ask(evaluate: Evaluate, question: Question): Asked {
  const turn = new AbortController();
  const answer = evaluate(question, turn.signal);
  answer.catch(() => {});
  return { answer, giveUp: () => turn.abort(new Error("nobody asks any more")) };
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
