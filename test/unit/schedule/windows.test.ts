import assert from "node:assert/strict";
import fc from "fast-check";
import type { Window } from "../../../operator/api/time.ts";
import { windowsAt } from "../../../operator/schedule/windows.ts";
import { CHANGES, expression } from "./expressions.ts";
import { MINUTE_MS, strikes, type WallMinute, wallMinutes } from "./wall-clock.ts";

const nights: Window = { name: "nights", type: "Allow", schedule: "0 22 * * *", duration: "2h", timeZone: "UTC" };
const freeze: Window = { name: "freeze", type: "Deny", schedule: "0 0 24 12 *", duration: "168h", timeZone: "UTC" };

const at = (text: string) => Date.parse(text);
const told = (windows: readonly Window[], when: string): string => {
  const answer = windowsAt(windows, at(when));
  const time = (ms: number) => new Date(ms).toISOString().slice(0, 16);
  switch (answer.state) {
    case "open":
      return "open";
    case "closed":
      return `closed${answer.by === undefined ? "" : ` by ${answer.by}`}, opens ${answer.foreseen ? "" : "not before "}${time(answer.opensAtMs)}`;
    case "invalid":
      return `${answer.trouble.path}: ${answer.trouble.message}`;
  }
};

describe("Windows", () => {
  const table: readonly (readonly [what: string, windows: readonly Window[], when: string, answer: string])[] = [
    ["are open where there are none", [], "2026-01-05T12:00Z", "open"],
    ["are closed before the first opens", [nights], "2026-01-05T12:00Z", "closed, opens 2026-01-05T22:00"],
    ["open on the minute", [nights], "2026-01-05T22:00Z", "open"],
    ["are open to the end", [nights], "2026-01-05T23:59:59Z", "open"],
    ["close on the minute", [nights], "2026-01-06T00:00Z", "closed, opens 2026-01-06T22:00"],
    [
      "are closed by one that denies",
      [nights, freeze],
      "2026-12-24T22:30Z",
      "closed by freeze, opens 2026-12-31T22:00",
    ],
    ["are open outside of one that denies", [freeze], "2026-12-23T12:00Z", "open"],
    ["are closed within it", [freeze], "2026-12-25T12:00Z", "closed by freeze, opens 2026-12-31T00:00"],
    [
      "are open where one of several allows",
      [nights, { ...nights, name: "noon", schedule: "0 12 * * *", duration: "30m" }],
      "2026-01-05T12:10Z",
      "open",
    ],
    [
      "are as long as they say when the clocks go forward",
      [{ ...nights, schedule: "0 1 * * *", duration: "3h", timeZone: "Europe/Berlin" }],
      "2026-03-29T02:59Z",
      "open",
    ],
    [
      "are no longer than they say when the clocks go forward",
      [{ ...nights, schedule: "0 1 * * *", duration: "3h", timeZone: "Europe/Berlin" }],
      "2026-03-29T03:00Z",
      "closed, opens 2026-03-29T23:00",
    ],
    [
      "are no longer than they say when the clocks go back",
      [{ ...nights, schedule: "0 1 * * *", duration: "3h", timeZone: "Europe/Berlin" }],
      "2026-10-25T02:00Z",
      "closed, opens 2026-10-26T00:00",
    ],
    [
      "open at the change where their time is skipped",
      [{ ...nights, schedule: "30 2 * * *", duration: "1h", timeZone: "Europe/Berlin" }],
      "2026-03-29T00:59Z",
      "closed, opens 2026-03-29T01:00",
    ],
    [
      "never open under one that denies just that",
      [nights, { ...freeze, schedule: "0 21 * * *", duration: "4h" }],
      "2026-01-05T12:00Z",
      "windows: none that allows opens within a year; do windows that deny cover it?",
    ],
    [
      "open when a season of nights that are denied is over",
      [nights, { ...freeze, name: "season", schedule: "0 21 * 5-9 *", duration: "6h" }],
      "2026-05-02T12:00Z",
      "closed, opens 2026-10-01T22:00",
    ],
    [
      "open in the one month that is left of the year",
      [{ ...freeze, name: "season", schedule: "0 0 * 1-11 *", duration: "24h" }],
      "2026-02-02T12:00Z",
      "closed by season, opens 2026-12-01T00:00",
    ],
    [
      "are closed, and not useless, where a season has more changes than can be looked at",
      [
        { ...nights, schedule: "0 2,10,18 * * *", duration: "1h" },
        { ...freeze, name: "season", schedule: "0 1,9,17 * 12,1-9 *", duration: "3h" },
      ],
      "2026-01-05T12:00Z",
      "closed, opens not before 2026-02-24T20:00",
    ],
    [
      "never open on a date that does not exist",
      [{ ...nights, schedule: "0 0 30 2 *" }],
      "2026-01-05T12:00Z",
      "windows[nights].schedule: 0 0 30 2 * names a date that no calendar has",
    ],
    [
      "name the zone that does not exist",
      [nights, { ...freeze, timeZone: "Mars/Olympus" }],
      "2026-01-05T12:00Z",
      "windows[freeze].timeZone: the time zone Mars/Olympus is not in the IANA database",
    ],
  ];
  for (const [what, windows, when, answer] of table) {
    it(what, () => assert.equal(told(windows, when), answer));
  }

  it("are worked out in bounded time, however often they change", () => {
    const stutter = (name: string, type: Window["type"]): Window => ({
      name,
      type,
      schedule: "*/2 * * * *",
      duration: "1m",
      timeZone: "Europe/Berlin",
    });
    const windows = Array.from({ length: 7 }, (_, index) => stutter(`deny-${index}`, "Deny"));
    const before = performance.now();
    const now = at("2026-01-05T12:00Z");
    const answer = windowsAt([stutter("allow", "Allow"), ...windows], now);
    assert.ok(answer.state === "closed" && !answer.foreseen && answer.opensAtMs > now);
    assert.ok(performance.now() - before < 2_000, "a fifth of a second on an idle machine");
  });
});

const DAYS = 3;
const AMOUNT = DAYS * 24 * 60;

const anyWindow = fc.record({
  written: expression,
  type: fc.constantFrom("Allow" as const, "Deny" as const),
  minutes: fc.integer({ min: 1, max: 600 }),
});

/** Open or not at each minute, by looking at every minute. */
function byBruteForce(
  windows: readonly { readonly type: string; readonly minutes: number; readonly struck: readonly number[] }[],
  minutes: readonly WallMinute[],
): readonly boolean[] {
  const startMs = minutes[0]?.atMs ?? 0;
  const isOpen = windows.map(({ type, minutes: length, struck }) => {
    const open = minutes.map(() => false);
    for (const moment of struck)
      open.fill(true, (moment - startMs) / MINUTE_MS, (moment - startMs) / MINUTE_MS + length);
    return { type, open };
  });
  const allowing = isOpen.filter(({ type }) => type === "Allow");
  const denying = isOpen.filter(({ type }) => type === "Deny");
  return minutes.map(
    (_, index) =>
      !denying.some(({ open }) => open[index]) && (allowing.length === 0 || allowing.some(({ open }) => open[index])),
  );
}

describe("Windows around a change of the clocks", () => {
  for (const [zone, from] of CHANGES) {
    const minutes = wallMinutes(zone, Date.parse(`${from}T00:00:00Z`), AMOUNT);
    it(`say what a look at every minute says, in ${zone} from ${from}`, () => {
      fc.assert(
        fc.property(fc.array(anyWindow, { minLength: 1, maxLength: 3 }), fc.nat(24 * 60), (drawn, after) => {
          const expected = byBruteForce(
            drawn.map(({ written, ...rest }) => ({ ...rest, struck: strikes(written, minutes) })),
            minutes,
          );
          const windows = drawn.map(({ written, type, minutes: length }, index) => ({
            name: `w${index}`,
            type,
            schedule: written.text,
            duration: `${length}m`,
            timeZone: zone,
          }));
          // What opened on the day before is not in the table: a day later nothing of it is left.
          const index = 24 * 60 + after;
          const answer = windowsAt(windows, minutes[index]?.atMs ?? 0);
          if (answer.state === "invalid")
            return assert.ok(!expected.slice(index).includes(true), "it opens, after all");
          assert.equal(answer.state === "open", expected[index]);
          const opensAt = expected.findIndex((open, later) => later > index && open);
          if (answer.state !== "closed" || opensAt === -1) return;
          const opensAtMs = minutes[opensAt]?.atMs ?? 0;
          if (answer.foreseen) assert.equal(answer.opensAtMs, opensAtMs);
          else assert.ok(answer.opensAtMs <= opensAtMs, "it is asked again in time");
        }),
        { numRuns: 30 },
      );
    });
  }
});
