import type { Clock } from "../../../operator/loop/clock.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export interface FakeClock extends Clock {
  /** Moves time on, firing what falls due in order and letting promises settle in between. */
  advance(ms: number): Promise<void>;
  /** Moves time on without firing anything: a process that was stopped. */
  freeze(ms: number): void;
  /** How many timers and sleeps wait. */
  pending(): number;
}

/** Lets everything that is ready to run, run: real I/O is not waited for. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

export function fakeClock(start = "2030-01-01T00:00:00Z"): FakeClock {
  const epoch = Date.parse(start);
  const timers = new Set<Timer>();
  let elapsed = 0;
  let order = 0;

  const setTimer = (ms: number, callback: () => void): (() => void) => {
    order += 1;
    const timer: Timer = { at: elapsed + Math.max(0, ms), order, callback };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const nextDue = (until: number): Timer | undefined =>
    [...timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0];

  return {
    now: () => new Date(epoch + elapsed),
    monotonicMs: () => elapsed,
    setTimer,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const abort = () => {
          cancel();
          reject(signal?.reason);
        };
        const cancel = setTimer(ms, () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        });
        signal?.addEventListener("abort", abort, { once: true });
      }),
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        timers.delete(timer);
        elapsed = Math.max(elapsed, timer.at);
        timer.callback();
        await settle();
      }
      elapsed = Math.max(elapsed, until);
    },
    freeze(ms) {
      elapsed += ms;
    },
    pending: () => timers.size,
  };
}
