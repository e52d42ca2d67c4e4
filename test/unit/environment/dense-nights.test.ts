import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const MINUTE_MS = 60_000;
const [LAYERS, WIDTH] = [16, 4];
const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
const lifetime = { sleep } as NonNullable<EnvironmentSpec["lifetime"]>;

const namesOf = (layer: number) => Array.from({ length: layer < 0 ? 0 : WIDTH }, (_, at) => `l${layer}-${at}`);

describe("A night of sixty-four components, of which each uses four", () => {
  it("is decided at once, although many ways lead from one to another", () => {
    const components = Array.from({ length: LAYERS }, (_, layer) =>
      namesOf(layer).map((name) => aComponent(name, { needs: namesOf(layer - 1), sleep: { destroy: true } })),
    );
    const story = aStory(anEnvironment(components.flat(), { spec: { lifetime } }));
    while (new Date(story.now()).getUTCHours() !== 12) story.pass(10 * MINUTE_MS);
    story.settle();
    while (new Date(story.now()).getUTCHours() !== 21) story.pass(10 * MINUTE_MS);
    const before = story.started.length;
    story.round();
    const uppermost = namesOf(LAYERS - 1).map((name) => `Destroy ${name} #2`);
    assert.deepEqual(story.started.slice(before), uppermost);
  });
});
