/** What a clock on the wall of a time zone shows, minute by minute: told by Intl alone, so that it can judge what croner says. */

export const MINUTE_MS = 60_000;

/** A minute as the wall shows it. */
export interface WallMinute {
  readonly atMs: number;
  /** Minutes since 1970 as if the wall were in UTC: walls that show the same have the same number. */
  readonly wall: number;
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly weekday: number;
}

/** Every minute from `fromMs` (a whole minute) on. */
export function wallMinutes(timeZone: string, fromMs: number, amount: number): readonly WallMinute[] {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  return Array.from({ length: amount }, (_, index) => {
    const atMs = fromMs + index * MINUTE_MS;
    const parts = new Map(format.formatToParts(new Date(atMs)).map(({ type, value }) => [type, Number(value)]));
    const of = (part: "year" | "month" | "day" | "hour" | "minute") => parts.get(part) ?? Number.NaN;
    return wallOf(atMs, Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute")));
  });
}

function wallOf(atMs: number, shownMs: number): WallMinute {
  const shown = new Date(shownMs);
  return {
    atMs,
    wall: shownMs / MINUTE_MS,
    minute: shown.getUTCMinutes(),
    hour: shown.getUTCHours(),
    day: shown.getUTCDate(),
    month: shown.getUTCMonth() + 1,
    weekday: shown.getUTCDay(),
  };
}

/** A cron expression as people write it, and what it means on a wall. */
export interface Expression {
  readonly text: string;
  readonly names: (wall: WallMinute) => boolean;
  /** Minutes or hours have a `*` or a step: it follows the clock as it is. */
  readonly follows: boolean;
}

/** The minutes of a time at which the expression strikes, by cron's old custom at changes of the clocks. */
export function strikes({ names, follows }: Expression, minutes: readonly WallMinute[]): readonly number[] {
  const shown = new Set<number>();
  return minutes.flatMap((now, index) => {
    const before = minutes[index - 1];
    const repeated = shown.has(now.wall);
    shown.add(now.wall);
    if (follows) return names(now) ? [now.atMs] : [];
    const skipped = before === undefined ? [] : wallsBetween(before.wall, now.wall);
    return (!repeated && names(now)) || skipped.some(names) ? [now.atMs] : [];
  });
}

function wallsBetween(before: number, now: number): readonly WallMinute[] {
  const amount = Math.max(0, now - before - 1);
  return Array.from({ length: amount }, (_, index) => wallOf(0, (before + 1 + index) * MINUTE_MS));
}
