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

/** A reading stays what it is, and every round of an Environment asks for it several times: those that were asked for last are kept. */
const readings = new Map<string, CompiledCron>();
const MOST_READINGS = 1_000;

/**
 * Reads a cron expression of five fields. At changes of the clocks it follows cron's old custom: a time that is skipped counts at the moment
 * of the change, and one that comes twice counts once, unless minutes or hours have a `*` or a step: those follow the clock as it is.
 * `fromMs` decides only whether the expression still names any moment at all.
 */
export function compileCron(schedule: string, timeZone: string, fromMs: number): CompiledCron {
  const reading = remembered(`${timeZone} ${schedule}`, () => read(schedule, timeZone));
  if (!reading.ok || reading.times.next(fromMs) !== undefined) return reading;
  return { ok: false, what: "schedule", message: `${schedule} names a date that no calendar has` };
}

function remembered(name: string, read: () => CompiledCron): CompiledCron {
  const reading = readings.get(name) ?? read();
  // Once more at the end: what nobody asks for any more comes to the front, and goes first.
  readings.delete(name);
  readings.set(name, reading);
  for (const oldest of readings.keys()) {
    if (readings.size <= MOST_READINGS) break;
    readings.delete(oldest);
  }
  return reading;
}

function read(schedule: string, timeZone: string): CompiledCron {
  if (!isTimeZone(timeZone)) {
    return { ok: false, what: "timeZone", message: `the time zone ${timeZone} is not in the IANA database` };
  }
  try {
    const cron = new Cron(schedule, { timezone: timeZone, mode: "5-part", fixedTimeRule: "no-wildcard", paused: true });
    return { ok: true, times: timesOf(cron) };
  } catch (error) {
    const told = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return { ok: false, what: "schedule", message: `${schedule} is no cron expression: ${told}` };
  }
}

interface Around {
  readonly latest: number | undefined;
  readonly next: number | undefined;
}

function timesOf(cron: Cron): CronTimes {
  const wholeSecond = (atMs: number) => new Date(Math.floor(atMs / SECOND_MS) * SECOND_MS);
  let known: Around | undefined;
  /** From one moment that it names to the next, the answers are the same. */
  const around = (atMs: number): Around => {
    if (known?.latest !== undefined && known.latest <= atMs && atMs < (known.next ?? Number.POSITIVE_INFINITY))
      return known;
    known = {
      // The reference itself is not among the previous ones, so that the question is put one second later.
      latest: cron.previousRuns(1, new Date(wholeSecond(atMs).getTime() + SECOND_MS))[0]?.getTime(),
      next: cron.nextRun(wholeSecond(atMs))?.getTime(),
    };
    return known;
  };
  return { latest: (atMs) => around(atMs).latest, next: (atMs) => around(atMs).next };
}
