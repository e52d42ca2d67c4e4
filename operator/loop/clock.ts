import { setTimeout as delay } from "node:timers/promises";

/** Time as everything here receives it. Tests hand over one that they move themselves. */
export interface Clock {
  /** Wall clock: for what people read, never for durations. */
  now(): Date;
  /** Milliseconds since some moment; never goes back, and goes on while the process is stopped. */
  monotonicMs(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls once, later; returns how to cancel. The timer does not keep the process alive. */
  setTimer(ms: number, callback: () => void): () => void;
}

/** Node turns longer delays into 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(Math.min(ms, LONGEST_TIMER_MS), undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
  setTimer(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS)).unref();
    return () => clearTimeout(timer);
  },
};
