import assert from "node:assert/strict";
import fc from "fast-check";
import { compileCron } from "../../../operator/schedule/cron.ts";
import { CHANGES, expression } from "./expressions.ts";
import { MINUTE_MS, strikes, wallMinutes } from "./wall-clock.ts";

const DAYS = 3;
const AMOUNT = DAYS * 24 * 60;

function timesOf(schedule: string, zone: string) {
  const cron = compileCron(schedule, zone, Date.parse("2026-01-01T00:00:00Z"));
  assert.ok(cron.ok, `${schedule} in ${zone}`);
  return cron.times;
}

describe("The times of a cron expression", () => {
  const table: readonly (readonly [what: string, schedule: string, zone: string, after: string, next: string])[] = [
    ["an ordinary evening", "0 22 * * *", "Europe/Berlin", "2026-01-05T12:00Z", "2026-01-05T21:00:00.000Z"],
    ["the same in summer", "0 22 * * *", "Europe/Berlin", "2026-07-05T12:00Z", "2026-07-05T20:00:00.000Z"],
    ["a weekday after a weekend", "0 8 * * 1-5", "UTC", "2026-01-03T00:00Z", "2026-01-05T08:00:00.000Z"],
    ["a time that is skipped", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", "2026-03-29T01:00:00.000Z"],
    ["a time that comes twice", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", "2026-10-25T00:30:00.000Z"],
    ["the same, after its first", "30 2 * * *", "Europe/Berlin", "2026-10-25T00:30Z", "2026-10-26T01:30:00.000Z"],
    ["every half hour, twice", "*/30 * * * *", "Europe/Berlin", "2026-10-25T00:30Z", "2026-10-25T01:00:00.000Z"],
    ["a midnight that is skipped", "0 0 * * *", "Africa/Cairo", "2026-04-23T12:00Z", "2026-04-23T22:00:00.000Z"],
    ["a leap day", "0 0 29 2 *", "UTC", "2026-01-01T00:00Z", "2028-02-29T00:00:00.000Z"],
  ];
  for (const [what, schedule, zone, after, next] of table) {
    it(`include ${what}`, () => {
      const found = timesOf(schedule, zone).next(Date.parse(after));
      assert.equal(new Date(found ?? 0).toISOString(), next);
    });
  }

  for (const [zone, from] of CHANGES) {
    const fromMs = Date.parse(`${from}T00:00:00Z`);
    const minutes = wallMinutes(zone, fromMs, AMOUNT);
    it(`are those that the wall shows, minute by minute, in ${zone} from ${from}`, () => {
      fc.assert(
        fc.property(expression, fc.nat(AMOUNT - 1), fc.nat(MINUTE_MS - 1), (written, minute, within) => {
          const struck = strikes(written, minutes);
          const atMs = fromMs + minute * MINUTE_MS + within;
          const times = timesOf(written.text, zone);
          const next = struck.find((moment) => moment > atMs);
          const latest = struck.findLast((moment) => moment <= atMs);
          if (next !== undefined) assert.equal(times.next(atMs), next, `${written.text}: next`);
          if (latest !== undefined) assert.equal(times.latest(atMs), latest, `${written.text}: latest`);
        }),
        { numRuns: 100 },
      );
    });
  }
});

describe("The reading of a schedule", () => {
  it("is made once, however often it is asked for", () => {
    assert.equal(timesOf("7 7 * * *", "UTC"), timesOf("7 7 * * *", "UTC"));
    assert.notEqual(timesOf("7 7 * * *", "UTC"), timesOf("7 7 * * *", "Europe/Berlin"));
  });

  it("answers the same, whatever was asked before", () => {
    const [zone, from] = ["Europe/Berlin", Date.parse("2026-10-24T00:00:00Z")];
    const minutes = wallMinutes(zone, from, AMOUNT);
    fc.assert(
      fc.property(expression, fc.array(fc.nat(AMOUNT - 1), { minLength: 2, maxLength: 12 }), (written, asked) => {
        const struck = strikes(written, minutes);
        const times = timesOf(written.text, zone);
        for (const minute of asked) {
          const atMs = from + minute * MINUTE_MS;
          const [next, latest] = [struck.find((one) => one > atMs), struck.findLast((one) => one <= atMs)];
          if (next !== undefined) assert.equal(times.next(atMs), next, `${written.text}: next`);
          if (latest !== undefined) assert.equal(times.latest(atMs), latest, `${written.text}: latest`);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("is forgotten when a thousand others were asked for since", () => {
    const first = timesOf("0 0 1 1 *", "UTC");
    for (let minute = 0; minute < 60; minute += 1)
      for (let hour = 0; hour < 24; hour += 1) timesOf(`${minute} ${hour} * * *`, "UTC");
    assert.notEqual(timesOf("0 0 1 1 *", "UTC"), first);
  });
});

describe("A schedule that cannot be used", () => {
  const refused: readonly (readonly [schedule: string, zone: string, what: string, says: RegExp])[] = [
    ["0 0 30 2 *", "UTC", "schedule", /0 0 30 2 \* names a date that no calendar has/],
    ["0 0 31 2,4,6 *", "UTC", "schedule", /names a date that no calendar has/],
    ["0 20-8 * * *", "UTC", "schedule", /is no cron expression: From value is larger than to value/],
    ["*/99 * * * *", "UTC", "schedule", /is no cron expression/],
    ["0 8 * * * *", "UTC", "schedule", /is no cron expression/],
    ["nonsense", "UTC", "schedule", /is no cron expression/],
    ["0 8 * * *", "Mars/Olympus", "timeZone", /the time zone Mars\/Olympus is not in the IANA database/],
  ];
  for (const [schedule, zone, what, says] of refused) {
    it(`is told by its part: ${schedule} in ${zone}`, () => {
      const cron = compileCron(schedule, zone, Date.parse("2026-01-01T00:00:00Z"));
      assert.ok(!cron.ok);
      assert.equal(cron.what, what);
      assert.match(cron.message, says);
    });
  }
});
