import { durationMs } from "../api/fields.ts";
import type { Window } from "../api/time.ts";
import { type CronTimes, compileCron } from "./cron.ts";

/** What of a schedule cannot be used: where it is written, and why. */
export interface ScheduleTrouble {
  readonly path: string;
  readonly message: string;
}

/** A window's state from the moment that was asked about until `untilMs` at least; infinity where it never opens again. */
export interface WindowPhase {
  readonly open: boolean;
  readonly untilMs: number;
}

export interface CompiledWindow {
  readonly window: Window;
  phaseAt(atMs: number): WindowPhase;
}

export type WindowReading =
  | { readonly ok: true; readonly windows: readonly CompiledWindow[] }
  | { readonly ok: false; readonly trouble: ScheduleTrouble };

export function readWindows(windows: readonly Window[], atMs: number): WindowReading {
  const compiled: CompiledWindow[] = [];
  for (const window of windows) {
    const cron = compileCron(window.schedule, window.timeZone, atMs);
    if (!cron.ok) {
      return { ok: false, trouble: { path: `windows[${window.name}].${cron.what}`, message: cron.message } };
    }
    const durationOf = durationMs(window.duration);
    compiled.push({ window, phaseAt: remembering((at) => phaseAt(cron.times, durationOf, at)) });
  }
  return { ok: true, windows: compiled };
}

/** The last answer holds until its end: questions about a moment within it cost nothing. */
function remembering(ask: (atMs: number) => WindowPhase): (atMs: number) => WindowPhase {
  let known: { readonly fromMs: number; readonly phase: WindowPhase } | undefined;
  return (atMs) => {
    if (known !== undefined && known.fromMs <= atMs && atMs < known.phase.untilMs) return known.phase;
    known = { fromMs: atMs, phase: ask(atMs) };
    return known.phase;
  };
}

/**
 * Open from each moment that the schedule names, for the duration. All openings are equally long, so the latest of them decides; where the
 * next one begins before its end, the answer about that end is "open" again.
 */
function phaseAt(times: CronTimes, durationOf: number, atMs: number): WindowPhase {
  const opened = times.latest(atMs);
  const open = opened !== undefined && atMs < opened + durationOf;
  return { open, untilMs: open ? opened + durationOf : (times.next(atMs) ?? Number.POSITIVE_INFINITY) };
}
