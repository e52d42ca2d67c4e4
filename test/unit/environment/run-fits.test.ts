import assert from "node:assert/strict";
import { type EnvironmentSpec, environmentSpec } from "../../../operator/api/environment.ts";
import { runSpec } from "../../../operator/api/run.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
const many = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => ({ name: `${name}${at}`, value: 0 }));

describe("A Run that fits its schema", () => {
  it("comes of as many variables as Environment, component and sleep may give, none of them the same", () => {
    const app = aComponent("app", {
      terraform: { path: ".", variables: many("own", 64) },
      sleep: { variables: many("asleep", 16) },
    });
    const lifetime = { sleep } as NonNullable<EnvironmentSpec["lifetime"]>;
    const environment = anEnvironment([app], { spec: { variables: many("shared", 64), lifetime } });
    assert.ok(environmentSpec.safeParse(environment.spec).success);
    const story = aStory(environment);
    story.pass(8 * HOUR_MS);
    story.settle();
    story.pass(13 * HOUR_MS);
    const { step } = story.verdict("app");
    assert.ok(step.type === "startRun" && step.spec.cause.type === "Asleep");
    assert.deepEqual(runSpec.safeParse(step.spec).error?.issues ?? [], []);
    assert.equal(step.spec.inputs.variables.length, 144);
    assert.equal(step.spec.inputs.ownVariables?.length, 80);
  });
});
