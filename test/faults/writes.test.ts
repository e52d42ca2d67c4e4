import assert from "node:assert/strict";
import type { Fate, Seen } from "./proxy.ts";
import { type Ending, interruption, life, type Trouble } from "./story.ts";

/**
 * At every write that the operator makes in a whole life, something goes wrong. `TERRARIUM_FAULTS=all` lets everything happen at every write; otherwise
 * each write meets one fate, in turn, as long as there is time. `TERRARIUM_FAULT="17 lost"` tells one of them again.
 */
const { TERRARIUM_FAULTS: all, TERRARIUM_FAULT: one } = process.env;
const AT_ONCE = 4;
const LONGEST_MS = 60_000;

const FATES: Readonly<Record<string, Fate>> = {
  killedBefore: { type: "killedBefore" },
  killedAfter: { type: "killedAfter" },
  lost: { type: "lost" },
  conflict: { type: "refused", status: 409, reason: "Conflict" },
  tooMany: { type: "refused", status: 429, reason: "TooManyRequests", retryAfterS: 1 },
  internal: { type: "refused", status: 500, reason: "InternalError" },
};
const NAMES = Object.keys(FATES);

/** The n-th write meets this, and all others go. */
const at = (write: number, name: string): Trouble => ({
  fateOf: (seen: Seen) => (seen.write === write ? (FATES[name] ?? { type: "goes" }) : { type: "goes" }),
});

function cases(writes: number): readonly (readonly [number, string])[] {
  if (one !== undefined) {
    const [write, name = ""] = one.split(" ");
    return [[Number(write), name]];
  }
  const numbers = Array.from({ length: writes }, (_, index) => index + 1);
  if (all === "all") return numbers.flatMap((write) => NAMES.map((name) => [write, name] as const));
  return numbers.map((write) => [write, NAMES[write % NAMES.length] ?? ""] as const);
}

/** Returns how many there was time for. */
async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<number> {
  const waiting = [...items];
  const giveUpAt = performance.now() + (all === "all" || one !== undefined ? Number.POSITIVE_INFINITY : LONGEST_MS);
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await work(item);
      if (performance.now() > giveUpAt) return;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return items.length - waiting.length;
}

/** The same ones every time, spread over the whole story: where there is time for half of them, it is not the first half. */
const spread = <T>(items: readonly T[]): readonly T[] =>
  items
    .map((item, index) => [(index * 37) % items.length, item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);

function isAsCalm(ending: Ending, calm: Ending): void {
  assert.equal(ending.runs, calm.runs, "as many Runs as when nothing goes wrong");
  assert.equal(ending.pods, calm.pods, "as many pods");
  assert.deepEqual(ending.ledger, calm.ledger, "the same things are made and destroyed, once, in the same order");
}

const STORIES = [
  { name: "is created, changed and deleted", story: life },
  { name: "is interrupted, looked at by a person, and deleted", story: interruption },
];

describe("An Environment on a real API server", function () {
  this.timeout(all === "all" ? 3_600_000 : 300_000);

  for (const { name, story } of STORIES) {
    it(`${name}, whatever happens to any one of the operator's writes`, async function () {
      const calm = await story();
      assert.ok(calm.writes > 10, calm.log.join("\n"));
      const troubles: string[] = [];
      const list = spread(cases(calm.writes));
      const told = await inTurn(list, async ([write, fate]) => {
        await story(at(write, fate))
          .then((ending) => isAsCalm(ending, calm))
          .catch((error: Error) => troubles.push(`write ${write}, ${fate}: ${error.message}`));
      });
      if (this.test !== undefined) this.test.title += `: ${told} of ${list.length} stories, ${calm.writes} writes`;
      assert.deepEqual(troubles, []);
    });
  }
});
