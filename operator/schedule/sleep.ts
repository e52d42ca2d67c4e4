import type { Sleep } from "../api/time.ts";
import { compileCron } from "./cron.ts";
import type { ScheduleTrouble } from "./window.ts";

/** Is it asleep at a moment, and until when? */
export type SleepAnswer =
  | {
      readonly state: "awake";
      readonly fallsAsleepAtMs: number | undefined;
      /** When the sleep began that it woke from. */
      readonly fellAsleepAtMs: number | undefined;
    }
  | {
      readonly state: "asleep";
      readonly wakesAtMs: number | undefined;
      /** When the day began that this sleep has ended. */
      readonly wokeAtMs: number | undefined;
    }
  | { readonly state: "invalid"; readonly trouble: ScheduleTrouble };

/** What happened last decides: it fell asleep, or it woke. At the same moment, it woke. Before both, it is awake. */
export function sleepAt(sleep: Sleep | undefined, atMs: number): SleepAnswer {
  if (sleep === undefined) return { state: "awake", fallsAsleepAtMs: undefined, fellAsleepAtMs: undefined };
  const [falls, wakes] = [
    compileCron(sleep.schedule, sleep.timeZone, atMs),
    compileCron(sleep.wake, sleep.timeZone, atMs),
  ];
  if (!falls.ok) return invalid(falls.what, falls.message);
  if (!wakes.ok) return invalid(wakes.what === "schedule" ? "wake" : wakes.what, wakes.message);
  const fellAt = falls.times.latest(atMs);
  const wokeAtMs = wakes.times.latest(atMs);
  const asleep = fellAt !== undefined && fellAt > (wokeAtMs ?? Number.NEGATIVE_INFINITY);
  if (asleep) return { state: "asleep", wakesAtMs: wakes.times.next(atMs), wokeAtMs };
  return { state: "awake", fallsAsleepAtMs: falls.times.next(atMs), fellAsleepAtMs: fellAt };
}

const invalid = (field: string, message: string): SleepAnswer => ({
  state: "invalid",
  trouble: { path: `lifetime.sleep.${field}`, message },
});
