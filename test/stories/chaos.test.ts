import assert from "node:assert/strict";
import { shrink } from "./shrink.ts";
import { driftOf, reportOf, storyOf } from "./simulation.ts";
import type { Telling } from "./telling.ts";

/** One seed tells one story, again and again. `TERRARIUM_STORIES` asks for more of them; `npm run simulate` tells many, and single ones. */
const { TERRARIUM_STORIES: many } = process.env;
const FIRST_SEED = 1;
const LONGEST_MS = 40_000;
const USUAL = 250;
/** However slow the machine is: fewer would show nothing. */
const FEWEST = 25;

describe("Whatever happens", () => {
  it("the promises hold, and status becomes true and quiet", async function () {
    this.timeout(0);
    const began = performance.now();
    let count = 0;
    for (let seed = FIRST_SEED; count < Number(many ?? USUAL); seed += 1) {
      const isLate = performance.now() - began > LONGEST_MS;
      if (many === undefined && isLate && count >= FEWEST) break;
      const telling = await storyOf(seed);
      if (telling.trouble !== undefined) throw new Error(await reportOf(seed, telling));
      count += 1;
    }
    if (this.test !== undefined) this.test.title += `: ${count} stories, from seed ${FIRST_SEED}`;
  });
});

describe("A seed", () => {
  it("tells the same story every time", async function () {
    this.timeout(60_000);
    // The second is one that looks for drift.
    for (const seed of [3, 6, 14, 15, 92]) assert.equal((await storyOf(seed)).trace, (await storyOf(seed)).trace);
  });

  it("tells another story than the next seed, and than the same one without an incident", async () => {
    const [one, next] = [await storyOf(14), await storyOf(15)];
    assert.notEqual(one.trace, next.trace);
    const [first = ""] = one.incidents;
    const without = await storyOf(14, new Set([first]));
    assert.notEqual(without.trace, one.trace);
    assert.ok(!without.incidents.includes(first));
  });
});

describe("Stories that look for drift", () => {
  const seeds = Array.from({ length: 300 }, (_, index) => index + 1).filter(
    (seed) => driftOf(seed).drift !== undefined,
  );

  it("are one in three, and half of them bring back what they find", () => {
    const correcting = seeds.filter((seed) => driftOf(seed).drift?.action === "Correct");
    assert.ok(seeds.length > 75 && seeds.length < 125, `${seeds.length}`);
    assert.ok(correcting.length > seeds.length / 3 && correcting.length < (seeds.length * 2) / 3);
  });

  it("find what somebody did by hand", async function () {
    this.timeout(60_000);
    let found = 0;
    for (const seed of seeds.slice(0, 12)) {
      const { lines } = await storyOf(seed);
      const isByHand = lines.some((line) => / (edit|delete)s a thing of . by hand$/.test(line));
      if (isByHand && lines.some((line) => line.includes(": DriftFound: "))) found += 1;
    }
    assert.ok(found >= 3, `${found} of 12`);
  });
});

describe("A story that went wrong", () => {
  const all = Array.from({ length: 40 }, (_, index) => `incident-${index}`);
  const toldWith = (incidents: readonly string[], message?: string): Telling => ({
    trouble: message === undefined ? undefined : new Error(message),
    incidents,
    lines: [],
    steps: 0,
    trace: "",
  });

  it("is told without all that it does not need in order to go wrong", async () => {
    const guilty = ["incident-7", "incident-31"];
    const again = async (without: ReadonlySet<string>) => {
      const left = all.filter((name) => !without.has(name));
      return toldWith(left, guilty.every((name) => left.includes(name)) ? "I1: two writers" : undefined);
    };
    const { telling } = await shrink(await again(new Set()), again);
    assert.deepEqual(telling.incidents, guilty);
  });

  it("is not mistaken for one that breaks another promise", async () => {
    const again = async (without: ReadonlySet<string>) => {
      const left = all.filter((name) => !without.has(name));
      return toldWith(left, left.includes("incident-7") ? "I1: two writers" : "I5: never quiet");
    };
    const { telling } = await shrink(await again(new Set()), again);
    assert.deepEqual(telling.incidents, ["incident-7"]);
  });
});
