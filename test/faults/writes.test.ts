import { guarded } from "./guarded.ts";
import { interruption, life } from "./story.ts";
import { assertSwept, FATES, type FateName, OPERATOR, sweep } from "./sweep.ts";
import { isWhole } from "./whole.ts";

const STORIES = [
  { name: "is created, changed and deleted", story: life, longestMs: 35_000 },
  { name: "is interrupted, looked at by a person, and deleted", story: interruption, longestMs: 35_000 },
  {
    name: "passes outputs on under approval, is overtaken, drifts, is put right, and ends by itself",
    story: guarded,
    longestMs: 5_000,
  },
];

describe("An Environment on a real API server", function () {
  this.timeout(isWhole ? 3_600_000 : 300_000);

  for (const { name, story, longestMs } of STORIES) {
    it(`${name}, whatever happens to any one of the operator's writes`, async function () {
      const fates = Object.keys(FATES) as FateName[];
      const swept = await sweep({ story, side: OPERATOR, fates, longestMs, atOnce: 6 });
      if (this.test !== undefined) this.test.title += `: ${swept.summary}`;
      assertSwept(swept);
    });
  }
});
