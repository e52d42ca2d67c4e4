import { parentPort } from "node:worker_threads";
import { reportOf, storyOf } from "../../test/stories/simulation.ts";

/** Told a range of seeds, tells their stories, and answers with what went wrong. */
export interface Range {
  readonly first: number;
  readonly count: number;
}

export interface Told {
  readonly count: number;
  readonly steps: number;
  readonly incidents: number;
  /** A page for each story that broke a promise. */
  readonly reports: readonly string[];
}

// Errors are part of every story, and nobody reads where they come from: a story that goes wrong is told again.
Error.stackTraceLimit = 0;

parentPort?.on("message", async ({ first, count }: Range) => {
  const reports: string[] = [];
  let [steps, incidents] = [0, 0];
  for (let seed = first; seed < first + count; seed += 1) {
    const telling = await storyOf(seed);
    steps += telling.steps;
    incidents += telling.incidents.length;
    if (telling.trouble !== undefined) reports.push(await reportOf(seed, telling));
  }
  parentPort?.postMessage({ count, steps, incidents, reports } satisfies Told);
});
