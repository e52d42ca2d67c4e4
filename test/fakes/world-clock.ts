import type { Clock } from "../../operator/loop/clock.ts";
import { T0 } from "./objects.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export interface WorldClock extends Clock {
  /** Milliseconds until the next timer; undefined where there is none. */
  untilNext(): number | undefined;
  /** Sets the wall clock on by so much; timers do not notice. */
  set(ms: number): void;
  /** Moves time on, and fires what falls due, in order. */
  advance(ms: number): void;
}

export function worldClock(): WorldClock {
  const timers = new Set<Timer>();
  let elapsed = 0;
  let setBy = 0;
  let order = 0;
  const next = (): Timer | undefined => [...timers].sort((a, b) => a.at - b.at || a.order - b.order)[0];
  const setTimer = (ms: number, callback: () => void): (() => void) => {
    order += 1;
    const timer = { at: elapsed + Math.max(0, ms), order, callback };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  return {
    now: () => new Date(T0 + setBy + elapsed),
    monotonicMs: () => elapsed,
    setTimer,
    sleep: () => Promise.reject(new Error("nobody sleeps in this world: use timers")),
    set(ms) {
      setBy += ms;
    },
    untilNext() {
      const timer = next();
      return timer === undefined ? undefined : Math.max(0, timer.at - elapsed);
    },
    advance(ms) {
      const until = elapsed + ms;
      for (let timer = next(); timer !== undefined && timer.at <= until; timer = next()) {
        timers.delete(timer);
        elapsed = Math.max(elapsed, timer.at);
        timer.callback();
      }
      elapsed = until;
    },
  };
}
