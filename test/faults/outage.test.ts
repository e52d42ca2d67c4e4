import assert from "node:assert/strict";
import type { Trouble } from "./place.ts";
import type { Weather } from "./proxy.ts";
import { type Ending, life } from "./story.ts";
import { isAsCalm } from "./sweep.ts";
import { isWhole } from "./whole.ts";

const WEATHERS: Readonly<Record<string, Weather>> = {
  "answered with 500": { type: "refused", status: 500, reason: "InternalError" },
  "answered with 429": { type: "refused", status: 429, reason: "TooManyRequests", retryAfterS: 1 },
  // It cannot vouch for anything newest, and every watch is from a version that it has yet to see.
  "answered by a server that was left behind": { type: "refused", status: 504, reason: "Timeout", retryAfterS: 1 },
  "cut off": "breaking",
};

/** What takes a quarter of a minute in a cluster is to take seconds here. */
const SHORT_LEASE = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 200 };
const LONGER_THAN_LEASE_MS = 6_000;
/** Six watches and the lease ask again and again, each with pauses. */
const MOST_PER_SECOND = 30;

describe("While every call of the operator and its gateway, watches and lease included,", function () {
  this.timeout(400_000);
  let calm: Ending;

  before(async () => {
    calm = await life({ lease: SHORT_LEASE });
  });

  /** Returns how many requests were turned away. */
  async function survived(trouble: Trouble & Required<Pick<Trouble, "outage">>): Promise<number> {
    const ending = await life(trouble);
    isAsCalm(ending, calm);
    assert.match(ending.told.join("\n"), /the operator ends: the lease is lost/, "it outlasted the lease");
    assert.ok(ending.turnedAway < MOST_PER_SECOND * (trouble.outage.ms / 1000), `${ending.turnedAway} requests`);
    return ending.turnedAway;
  }

  it("fails for longer than the lease lasts, nothing is lost and nothing made twice", async function () {
    const moments = isWhole ? [1, 10, 20, 30, 40, 50, 60, 70] : [10];
    const stopped: string[] = [];
    for (const fromWrite of moments) {
      const all = Object.entries(WEATHERS).map(async ([what, weather]) => {
        const outage = { ms: LONGER_THAN_LEASE_MS, weather, fromWrite };
        stopped.push(`${await survived({ lease: SHORT_LEASE, outage })} ${what}`);
      });
      await Promise.all(all);
    }
    if (this.test !== undefined) this.test.title += `: requests that were stopped: ${stopped.join(", ")}`;
  });

  if (isWhole)
    it("is answered with 500 for two minutes, it goes on afterwards", async () => {
      const weather: Weather = { type: "refused", status: 500, reason: "InternalError" };
      await survived({ lease: {}, outage: { fromWrite: 10, ms: 120_000, weather } });
    });
});
