import { Worker } from "node:worker_threads";
import type { Range, Told } from "./worker.ts";

/** Small enough that the threads end at about the same time and progress is seen, large enough that messages cost nothing. */
const RANGE = 20;

export interface Order {
  readonly from: number;
  readonly stories: number;
  readonly jobs: number;
  readonly onTold: (told: Told) => void;
}

/** Tells all stories of an order on so many threads; rejects when a thread crashes, which no story may cause. */
export async function tellAll({ from, stories, jobs, onTold }: Order): Promise<void> {
  const end = from + stories;
  let next = from;
  const nextRange = (): Range | undefined => {
    if (next >= end) return undefined;
    const range = { first: next, count: Math.min(RANGE, end - next) };
    next += range.count;
    return range;
  };
  await Promise.all(
    Array.from({ length: Math.min(jobs, Math.ceil(stories / RANGE)) }, () => thread(nextRange, onTold)),
  );
}

function thread(nextRange: () => Range | undefined, onTold: (told: Told) => void): Promise<void> {
  // A young generation that holds a whole story spares most of the collecting.
  const worker = new Worker(new URL("worker.ts", import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: 64 },
  });
  return new Promise((resolve, reject) => {
    const go = (): void => {
      const range = nextRange();
      if (range !== undefined) worker.postMessage(range);
      else void worker.terminate().then(() => resolve());
    };
    worker.on("message", (told: Told) => {
      onTold(told);
      go();
    });
    worker.once("error", reject);
    go();
  });
}
