import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import type { ComponentStatus } from "../../../operator/api/environment-status.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { anAppliedStory, aToldLoss, aVersion, LOSSES } from "./lost-story.ts";
import { aStory } from "./story.ts";

describe("A lost state that was told of", () => {
  for (const [what, happens] of Object.entries(LOSSES))
    for (const components of [["a"], ["b"]])
      it(`stays lost without the Runs that knew of it: ${what} (declared: ${components})`, () => {
        const story = aToldLoss(happens, components);
        assert.equal(story.round().type, "dismantle", "the object stays");
        assert.equal(story.verdict("a").reason, "StateLost");
        assert.match(story.verdict("a").message, /^restore or push a state/);
        assert.equal(story.started.length, 1);
      });

  const windows = [{ name: "w", type: "Allow", schedule: "61 * * * *", duration: "1h", timeZone: "UTC" }] as const;
  const circle = [aComponent("a", { needs: ["b"] }), aComponent("b", { needs: ["a"] })];
  for (const [what, spec] of Object.entries<Partial<EnvironmentSpec>>({
    "an expression that nobody can evaluate": {
      approval: { required: 1, unless: "plan.", planExpiresAfter: "24h" },
    },
    "an engine that is not in the catalogue": { engine: { name: "opentofu", version: "9.9" } },
    "a circle of dependencies": { components: circle },
    "a window that never opens": { windows: [...windows] },
  }))
    it(`stays lost whatever else is wrong with the declaration: ${what}`, () => {
      const story = anAppliedStory(LOSSES["the record is gone"]);
      story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } }));
      for (const end of [() => story.delete(), () => {}]) {
        story.round();
        story.report();
        assert.equal(story.environment().status?.components?.[0]?.reason, "StateLost");
        end();
      }
      for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
      assert.equal(story.round().type, "dismantle", "the object stays");
      assert.equal(story.verdict("a").reason, "StateLost");
    });

  it("stays lost where the clock was set back, to the very moment at which its Run ended, too", () => {
    for (const ms of [60_000, 3_600_000]) {
      const story = anAppliedStory(LOSSES["the record is gone"]);
      story.report();
      story.delete();
      story.pass(-ms);
      story.round();
      story.report();
      for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
      assert.equal(story.round().type, "dismantle", "the object stays");
      assert.equal(story.verdict("a").reason, "StateLost");
    }
  });

  it("stays lost while some of the Runs are left, which know of nothing", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    const serial = (stateSerial: number) => ({ stateSerial, stateLineage: "lineage-1", resources: 2 });
    story.settle();
    const older = story.records.get("a") ?? assert.fail();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    story.end("a", "Applied", serial(9));
    const newest = story.runs().find(({ spec }) => spec.number === 2) ?? assert.fail();
    story.records.set("a", { ...older, state: aVersion(3) });
    story.pass(60_000);
    story.report();
    assert.equal(story.verdict("a").reason, "StateLost");
    story.delete();
    story.forgetRun(newest.metadata.name);
    for (let rounds = 0; rounds < 3; rounds += 1) {
      story.round();
      story.report();
    }
    assert.deepEqual([story.verdict("a").reason, story.started.length], ["StateLost", 2]);
  });

  it("stays told where the older record has a lock that is in the way: giving that back is no word about the state", () => {
    const story = aToldLoss(LOSSES["an older record was restored"]);
    const record = story.records.get("a") ?? assert.fail();
    const at = "2020-01-01T00:00:00.000Z";
    const lock = { id: "l", operation: "Apply", run: "gone", runUid: "gone", pod: "p", podUid: "p", since: at };
    story.records.set("a", { ...record, lock: lock as never });
    assert.equal(story.verdict("a").reason, "StateLost");
  });

  it("keeps what its older record says it uses, where nothing declares it any more", () => {
    const story = aStory(anEnvironment([aComponent("network"), aComponent("a", { needs: ["network"] })]));
    story.settle();
    const record = story.records.get("a") ?? assert.fail();
    story.records.set("a", { ...record, state: aVersion(3) });
    const line = { name: "a", state: "Stalled", reason: "StateLost", message: "restore or push a state" };
    story.edit(({ spec, ...environment }) => ({
      ...environment,
      spec: { ...spec, components: [aComponent("network")] },
      status: { observedGeneration: 1, components: [line as ComponentStatus] },
    }));
    story.delete();
    for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
    story.round();
    assert.deepEqual([story.verdict("network").state, story.started.slice(2)], ["Blocked", []]);
  });

  it("is none of a name that the state is on its way to, also where that is part of a circle", () => {
    const story = anAppliedStory((record) => ({ ...record, movingTo: "b" }));
    const [run = assert.fail()] = story.runs();
    const annotations = { [ANNOTATIONS.movedTo]: "b", [ANNOTATIONS.stateName]: "b" };
    story.putRun({ ...run, metadata: { ...run.metadata, annotations } });
    const renamed = { ...aComponent("b", { needs: ["c"] }), formerName: "a" };
    const components = [renamed, aComponent("c", { needs: ["b"] })];
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components } }));
    assert.equal(story.verdict("b").reason, "DependencyCycle");
  });

  it("is nobody's under the name of a rename that was taken back, once the record is there again", () => {
    const story = anAppliedStory((record) => record);
    const whole = story.records.get("a") ?? assert.fail();
    story.records.delete("a");
    const declare = (component: ReturnType<typeof aComponent>) =>
      story.edit(({ spec, ...environment }) => ({ ...environment, spec: { ...spec, components: [component] } }));
    const lines = () => {
      story.round();
      story.report();
      return story.environment().status?.components?.map(({ name, state }) => `${name} ${state}`);
    };
    declare(aComponent("b", { formerName: "a" }));
    assert.deepEqual(lines(), ["b Stalled"]);
    declare(aComponent("a"));
    assert.deepEqual(lines(), ["a Stalled"]);
    declare(aComponent("b", { formerName: "a" }));
    assert.deepEqual(lines(), ["b Stalled"]);
    declare(aComponent("a"));
    story.records.set("a", whole);
    assert.deepEqual(lines(), ["a Ready"]);
    assert.deepEqual(story.started, ["Apply a #1"]);
  });

  it("keeps what it needs from being destroyed under it", () => {
    const story = aStory(anEnvironment([aComponent("network"), aComponent("a", { needs: ["network"] })]));
    story.settle();
    story.records.delete("a");
    story.pass(60_000);
    story.report();
    story.delete();
    for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
    story.round();
    assert.equal(story.verdict("a").reason, "StateLost");
    assert.deepEqual([story.verdict("network").state, story.started.slice(2)], ["Blocked", []]);
  });
});
