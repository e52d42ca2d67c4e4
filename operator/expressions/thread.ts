/** Evaluates expressions where they stop nobody: in a thread of their own, with a deadline and little memory. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Answer } from "../approval/expression.ts";
import type { PlanFacts } from "../approval/plan-facts.ts";

export interface Question {
  /** UID of the Run whose plan it is: where an evaluation fails by chance, that is nobody else's answer. */
  readonly run?: string;
  readonly text: string;
  readonly facts: PlanFacts;
}

/** Answers every question, in time: what cannot be evaluated is `failed`. Rejects only when the signal aborts. */
export type Evaluate = (question: Question, signal: AbortSignal) => Promise<Answer>;

export interface ThreadOptions {
  /** For one evaluation, without the start of the thread. */
  readonly deadlineMs?: number;
  readonly heapMb?: number;
}

/** Where the program is: beside this file in the sources, beside the bundle in an image. */
const program = new URL(import.meta.url.endsWith("/thread.ts") ? "./main.ts" : "./expressions.mjs", import.meta.url);
const START_MS = 20_000;

/** One thread for all questions, started with the first of them, and anew after one that had to be stopped. */
export function createExpressionThread({ deadlineMs = 1_000, heapMb = 128 }: ThreadOptions = {}): Evaluate {
  let thread: Promise<Worker> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const ask = async (question: Question, signal: AbortSignal): Promise<Answer> => {
    signal.throwIfAborted();
    thread ??= start(heapMb);
    try {
      return await answerOf(await thread, question, deadlineMs);
    } catch (error) {
      void thread.then((worker) => worker.terminate()).catch(() => {});
      thread = undefined;
      return { failed: error instanceof Error ? error.message : String(error) };
    }
  };
  return (question, signal) => {
    const turn = last.then(() => ask(question, signal));
    last = turn.catch(() => {});
    return turn;
  };
}

async function start(heapMb: number): Promise<Worker> {
  const worker = new Worker(program, { resourceLimits: { maxOldGenerationSizeMb: heapMb } });
  // It waits for questions: that alone keeps no process alive.
  worker.unref();
  await within(START_MS, once(worker, "message"), "the thread for expressions did not start");
  return worker;
}

async function answerOf(worker: Worker, question: Question, deadlineMs: number): Promise<Answer> {
  const answer = once(worker, "message").catch((error: Error & { readonly code?: string }) => {
    throw error.code === "ERR_WORKER_OUT_OF_MEMORY" ? new Error("it needs too much memory") : error;
  });
  worker.postMessage(question);
  const [said] = await within(deadlineMs, answer, `it takes longer than ${deadlineMs} ms`);
  return said as Answer;
}

async function within<T>(ms: number, promise: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(otherwise)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
