import assert from "node:assert/strict";
import fc from "fast-check";
import { sleepAt } from "../../../operator/schedule/sleep.ts";
import { CHANGES, expression } from "./expressions.ts";
import { MINUTE_MS, strikes, wallMinutes } from "./wall-clock.ts";

const nightly = { schedule: "0 20 * * *", wake: "0 7 * * 1-5", timeZone: "Europe/Berlin" };

const told = (when: string, sleep = nightly): string => {
  const answer = sleepAt(sleep, Date.parse(when));
  if (answer.state === "invalid") return `${answer.trouble.path}: ${answer.trouble.message}`;
  const atMs = answer.state === "asleep" ? answer.wakesAtMs : answer.fallsAsleepAtMs;
  return `${answer.state} until ${new Date(atMs ?? 0).toISOString().slice(0, 16)}`;
};

describe("A sleep", () => {
  const table: readonly (readonly [what: string, when: string, answer: string])[] = [
    ["is awake in the day", "2026-01-05T12:00Z", "awake until 2026-01-05T19:00"],
    ["falls asleep on the minute", "2026-01-05T19:00Z", "asleep until 2026-01-06T06:00"],
    ["wakes on the minute", "2026-01-06T06:00Z", "awake until 2026-01-06T19:00"],
    ["sleeps through the weekend", "2026-01-10T12:00Z", "asleep until 2026-01-12T06:00"],
    ["follows the clocks forward", "2026-03-29T12:00Z", "asleep until 2026-03-30T05:00"],
    ["follows the clocks back", "2026-10-25T12:00Z", "asleep until 2026-10-26T06:00"],
  ];
  for (const [what, when, answer] of table) it(what, () => assert.equal(told(when), answer));

  it("is awake where both come at once", () => {
    assert.match(told("2026-01-05T12:00Z", { ...nightly, wake: nightly.schedule }), /^awake/);
  });

  it("names its field where it cannot be used", () => {
    const when = "2026-01-05T12:00Z";
    assert.match(told(when, { ...nightly, wake: "0 0 30 2 *" }), /^lifetime\.sleep\.wake: .*no calendar has/);
    assert.match(told(when, { ...nightly, schedule: "0 0 30 2 *" }), /^lifetime\.sleep\.schedule: /);
    assert.match(told(when, { ...nightly, timeZone: "Mars/Olympus" }), /^lifetime\.sleep\.timeZone: /);
  });

  for (const [zone, from] of CHANGES) {
    const amount = 3 * 24 * 60;
    const minutes = wallMinutes(zone, Date.parse(`${from}T00:00:00Z`), amount);
    it(`is what a look at every minute says, in ${zone} from ${from}`, () => {
      fc.assert(
        fc.property(expression, expression, fc.nat(amount - 1), (falls, wakes, index) => {
          const atMs = minutes[index]?.atMs ?? 0;
          const [fell, woke] = [falls, wakes].map((written) =>
            strikes(written, minutes).findLast((moment) => moment <= atMs),
          );
          // Before the first stroke within these days the look at every minute knows nothing.
          if (fell === undefined || woke === undefined) return;
          const sleep = { schedule: falls.text, wake: wakes.text, timeZone: zone };
          assert.equal(sleepAt(sleep, atMs + (index % MINUTE_MS)).state, fell > woke ? "asleep" : "awake");
        }),
        { numRuns: 60 },
      );
    });
  }
});
