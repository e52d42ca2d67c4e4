import { chaos } from "./chaos.ts";
import { tell } from "./telling.ts";

/** One seed tells one story, again and again. `TERRARIUM_STORIES` asks for more of them, `TERRARIUM_SEED` for a single one. */
const { TERRARIUM_SEED: oneSeed, TERRARIUM_STORIES: many = "120" } = process.env;
const FIRST_SEED = 1;
const LONGEST_MS = 25_000;

const replay = (seed: number) => `TERRARIUM_SEED=${seed} npx mocha test/stories/chaos.test.ts`;

async function story(seed: number): Promise<void> {
  try {
    await tell({ seed, maxRuns: seed % 3 === 0 ? 2 : 10 }, chaos);
  } catch (error) {
    const text = error instanceof Error ? (error.name === "Violation" ? error.message : error.stack) : String(error);
    throw new Error(`${text}\n\nto see this again: ${replay(seed)}`);
  }
}

describe("Whatever happens", () => {
  const seeds =
    oneSeed === undefined ? Array.from({ length: Number(many) }, (_, index) => FIRST_SEED + index) : [Number(oneSeed)];

  it("the promises hold, and status becomes true and quiet", async function () {
    this.timeout(0);
    const began = performance.now();
    const limited = oneSeed === undefined && process.env.TERRARIUM_STORIES === undefined;
    let count = 0;
    for (const seed of seeds) {
      if (limited && performance.now() - began > LONGEST_MS) break;
      await story(seed);
      count += 1;
    }
    if (this.test !== undefined) this.test.title += `: ${count} stories, from seed ${seeds[0]}`;
  });
});
