import assert from "node:assert/strict";
import type { Run } from "../../operator/api/run.ts";
import { editSpec, resizes } from "./decisions/people.ts";
import { play, whereAllIsThere } from "./decisions/plot.ts";
import {
  broken,
  isAtRest,
  mayBeginWork,
  mayBeMade,
  PROMISES,
  saysReadyTruly,
  saysWhatIsToCome,
} from "./decisions/promises.ts";
import type { Scene } from "./decisions/scene.ts";

/** Without an API server, a gateway and an engine a story takes milliseconds. `TERRARIUM_STORIES` asks for more of them. */
const { TERRARIUM_STORIES: many } = process.env;
const USUAL = 250;

describe("Whatever is decided", () => {
  it("the promises hold, and all comes to rest", function () {
    this.timeout(0);
    for (let seed = 1; seed <= Number(many ?? USUAL); seed += 1) play(seed);
  });

  it("a seed plays the same story every time, and another one than the next", () => {
    assert.deepEqual(play(7).lines, play(7).lines);
    assert.notDeepEqual(play(7).lines, play(8).lines);
  });
});

function firstRunOf({ story }: Scene, component: string): Run {
  const run = story.runs().find(({ spec }) => spec.component === component);
  assert.ok(run !== undefined);
  return run;
}

/** What nobody decides, put into a scene in which all is as declared. */
const BREAKING: Record<Exclude<keyof typeof PROMISES, "quiet">, (scene: Scene) => void> = {
  order(scene) {
    resizes(scene, ["a"], 2);
    mayBeMade(scene, firstRunOf(scene, "c"));
  },
  approved(scene) {
    const run = firstRunOf(scene, "b");
    resizes(scene, ["a"], 2);
    mayBeginWork(scene, { ...run, status: { observedGeneration: 1, ...run.status, heldAt: "2026-01-01T00:00:00Z" } });
  },
  newest(scene) {
    const run = firstRunOf(scene, "c");
    resizes(scene, ["c"], 2);
    mayBeginWork(scene, { ...run, spec: { ...run.spec, cause: { type: "DriftFound" } } });
  },
  used(scene) {
    const run = firstRunOf(scene, "b");
    mayBeMade(scene, { ...run, spec: { ...run.spec, operation: "Destroy" } });
  },
  ready(scene) {
    scene.story.records.delete("b");
    saysReadyTruly(scene);
  },
  word(scene) {
    scene.story.edit((environment) => ({ ...environment, status: { observedGeneration: 1, conditions: [] } }));
    saysWhatIsToCome(scene);
  },
  rest(scene) {
    editSpec(scene, { suspend: true });
    resizes(scene, ["a"], 2);
    isAtRest(scene);
  },
};

describe("A promise that is broken", () => {
  for (const [promise, breaks] of Object.entries(BREAKING)) {
    it(`is noticed: ${PROMISES[promise as keyof typeof PROMISES]}`, () => {
      const scene = whereAllIsThere(1);
      assert.throws(() => breaks(scene), { message: new RegExp(`^seed 1: ${promise}: `) });
    });
  }

  it("is told with its seed, and with what happened before", () => {
    const scene = whereAllIsThere(3);
    resizes(scene, ["a"], 2);
    assert.throws(() => broken(scene, "quiet", "never"), { message: /^seed 3: quiet: never\n(.*\n)*\s+a: size 2$/ });
  });
});
