import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { aComponent, anEnvironment, aRecord } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
const lifetime = { sleep } as NonNullable<EnvironmentSpec["lifetime"]>;

describe("A state that is moved in at night", () => {
  it("to what sleeps by being destroyed waits for the morning: nothing says how to destroy it, and nothing was lost", () => {
    const story = aStory(anEnvironment([aComponent("a", { sleep: { destroy: true } })], { spec: { lifetime } }));
    story.pass(21 * HOUR_MS);
    const at = new Date(story.now()).toISOString();
    story.records.set("a", aRecord("a", { written: { how: "Push", by: "jane", at, serial: 9, newestRun: 0 } }));
    story.handOver("a", 9, { by: "jane" });
    story.round();
    assert.deepEqual([story.verdict("a").state, story.verdict("a").reason], ["Suspended", "Asleep"]);
    assert.deepEqual(story.started, []);
    story.pass(11 * HOUR_MS);
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1"]);
  });
});
