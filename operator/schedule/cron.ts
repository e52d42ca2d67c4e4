import { Cron } from "croner";

/** A cron expression in a time zone, ready to be asked. */
export interface CronTimes {
  /** The latest moment at or before `atMs` that it names. */
  latest(atMs: number): number | undefined;
  /** The earliest moment after `atMs` that it names. */
  next(atMs: number): number | undefined;
}

export type CompiledCron =
  | { readonly ok: true; readonly times: CronTimes }
  /** `what` is the part that is wrong. */
  | { readonly ok: false; readonly what: "schedule" | "timeZone"; readonly message: string };

const SECOND_MS = 1_000;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads a cron expression of five fields. At changes of the clocks it follows cron's old custom: a time that is skipped counts at the moment
 * of the change, and one that comes twice counts once, unless minutes or hours have a `*` or a step: those follow the clock as it is.
 * `fromMs` decides only whether the expression still names any moment at all.
 */
export function compileCron(schedule: string, timeZone: string, fromMs: number): CompiledCron {
  if (!isTimeZone(timeZone)) {
    return { ok: false, what: "timeZone", message: `the time zone ${timeZone} is not in the IANA database` };
  }
  try {
    const cron = new Cron(schedule, { timezone: timeZone, mode: "5-part", fixedTimeRule: "no-wildcard", paused: true });
    if (cron.nextRun(new Date(fromMs)) === null) {
      return { ok: false, what: "schedule", message: `${schedule} names a date that no calendar has` };
    }
    return { ok: true, times: timesOf(cron) };
  } catch (error) {
    const told = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return { ok: false, what: "schedule", message: `${schedule} is no cron expression: ${told}` };
  }
}

function timesOf(cron: Cron): CronTimes {
  const wholeSecond = (atMs: number) => new Date(Math.floor(atMs / SECOND_MS) * SECOND_MS);
  return {
    // The reference itself is not among the previous ones, so that the question is put one second later.
    latest: (atMs) => cron.previousRuns(1, new Date(wholeSecond(atMs).getTime() + SECOND_MS))[0]?.getTime(),
    next: (atMs) => cron.nextRun(wholeSecond(atMs))?.getTime(),
  };
}
