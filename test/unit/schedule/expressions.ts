import fc from "fast-check";
import type { Expression, WallMinute } from "./wall-clock.ts";

interface Field {
  readonly text: string;
  readonly has: (value: number) => boolean;
}

/** `*`, a step, values, a range, or a range with a step: all that the schema lets through. */
function field(low: number, high: number): fc.Arbitrary<Field> {
  const value = fc.integer({ min: low, max: high });
  const step = fc.integer({ min: 1, max: Math.max(2, Math.floor((high - low) / 2)) });
  const range = fc.tuple(value, value).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant<Field>({ text: "*", has: () => true }) },
    { weight: 4, arbitrary: value.map((only): Field => ({ text: `${only}`, has: (it) => it === only })) },
    {
      weight: 2,
      arbitrary: fc
        .array(value, { minLength: 2, maxLength: 3 })
        .map((list): Field => ({ text: list.join(","), has: (it) => list.includes(it) })),
    },
    { weight: 1, arbitrary: step.map((by): Field => ({ text: `*/${by}`, has: (it) => (it - low) % by === 0 })) },
    {
      weight: 2,
      arbitrary: range.map(([from, to]): Field => ({ text: `${from}-${to}`, has: (it) => from <= it && it <= to })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(range, step).map(
        ([[from, to], by]): Field => ({
          text: `${from}-${to}/${by}`,
          has: (it) => from <= it && it <= to && (it - from) % by === 0,
        }),
      ),
    },
  );
}

/** Any cron expression that strikes often enough to matter within days. */
export const expression: fc.Arbitrary<Expression> = fc
  .tuple(field(0, 59), field(0, 23), fc.oneof(fc.constant<Field>({ text: "*", has: () => true }), field(0, 6)))
  .map(([minute, hour, weekday]) => ({
    text: `${minute.text} ${hour.text} * * ${weekday.text}`,
    names: (wall: WallMinute) => minute.has(wall.minute) && hour.has(wall.hour) && weekday.has(wall.weekday),
    follows: [minute.text, hour.text].some((text) => /[*/]/.test(text)),
  }));

/** Midnights (UTC) a day before clocks change, where and how they do it in their own way. */
export const CHANGES: readonly (readonly [zone: string, from: string])[] = [
  ["Europe/Berlin", "2026-03-28"],
  ["Europe/Berlin", "2026-10-24"],
  ["America/New_York", "2026-03-07"],
  ["America/New_York", "2026-10-31"],
  // Half an hour only.
  ["Australia/Lord_Howe", "2026-04-03"],
  ["Australia/Lord_Howe", "2026-10-02"],
  // At midnight: a day begins at one o'clock.
  ["Africa/Cairo", "2026-04-22"],
  ["Africa/Cairo", "2026-10-28"],
  // None, and not a whole hour away from UTC.
  ["Asia/Kathmandu", "2026-03-28"],
  ["UTC", "2026-03-28"],
];
