import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import type { ComponentStatus } from "../../../operator/api/environment-status.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { anAppliedStory, aVersion, LOSSES } from "./lost-story.ts";
import { aStory } from "./story.ts";

type Story = ReturnType<typeof aStory>;

describe("A lost state that was told of", () => {
  /** The status says so; then the whole is deleted in the foreground, which takes the Runs. */
  function inForeground(happens: (record: ComponentRecord) => ComponentRecord | undefined, components = ["a"]) {
    const story = anAppliedStory(happens);
    story.edit(({ spec, ...environment }) => ({
      ...environment,
      spec: { ...spec, components: components.map((name) => aComponent(name)) },
    }));
    story.report();
    story.delete();
    for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
    return story;
  }

  for (const [what, happens] of Object.entries(LOSSES))
    for (const components of [["a"], ["b"]])
      it(`stays lost without the Runs that knew of it: ${what} (declared: ${components})`, () => {
        const story = inForeground(happens, components);
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

  it("is not let go where its key was missing, and its record went then", () => {
    const story = anAppliedStory(() => undefined);
    const line = { name: "a", state: "Stalled", reason: "KeyMissing", message: "no key" };
    story.edit((environment) => ({
      ...environment,
      status: { observedGeneration: 1, components: [line as ComponentStatus] },
    }));
    story.delete();
    for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
    assert.equal(story.round().type, "dismantle");
    assert.equal(story.verdict("a").reason, "StateLost");
  });

  it("stays told where the older record has a lock that is in the way: giving that back is no word about the state", () => {
    const story = inForeground(LOSSES["an older record was restored"]);
    const record = story.records.get("a") ?? assert.fail();
    const at = "2020-01-01T00:00:00.000Z";
    const lock = { id: "l", operation: "Apply", run: "gone", runUid: "gone", pod: "p", podUid: "p", since: at };
    story.records.set("a", { ...record, lock: lock as never });
    assert.equal(story.verdict("a").reason, "StateLost");
  });

  it("is not what a Run has failed with, which found a state that is damaged: the next may find it whole", () => {
    const story = anAppliedStory((record) => record);
    const line = { name: "a", state: "Failed", reason: "StateLost", message: "chunk 0 of 1 is missing" };
    story.edit((environment) => ({
      ...environment,
      status: { observedGeneration: 1, components: [line as ComponentStatus] },
    }));
    story.delete();
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
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

  it("is over when the record is back that the newest Run left, while that is there to say so", () => {
    const story = anAppliedStory(() => undefined);
    const whole = aStory(anEnvironment([aComponent("a")]));
    whole.round();
    whole.end("a", "Applied", { stateSerial: 7, stateLineage: "lineage-1", resources: 2 });
    story.report();
    story.delete();
    story.round();
    assert.equal(story.verdict("a").reason, "StateLost");
    story.records.set("a", { ...(whole.records.get("a") ?? assert.fail()), state: aVersion(7) });
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
  });

  const failures = {
    "a destroy that failed half way": {
      begin: (story: Story) => story.delete(),
      outcome: { result: "Failed", reason: "DestroyFailed", retry: "Never", message: "", stateSerial: 8 },
    },
    "a plan that failed": {
      begin: (story: Story) => story.annotate({ [ANNOTATIONS.requestedAt]: "now" }),
      outcome: { result: "Failed", reason: "PlanFailed", retry: "Never", message: "", stateSerial: 7 },
    },
  } as const;
  for (const [what, { begin, outcome }] of Object.entries(failures)) {
    /** The newest Run has failed, and its record is lost; the whole is being deleted, and another record is there again. */
    const restored = (change: (record: ComponentRecord, run: Run) => ComponentRecord) => {
      const story = anAppliedStory((record) => record);
      begin(story);
      story.round();
      const run = story.openRuns()[0] ?? assert.fail();
      story.end("a", outcome.result, { ...outcome, stateLineage: "lineage-1", resources: 2 });
      const record = story.records.get("a") ?? assert.fail();
      story.records.delete("a");
      story.pass(60_000);
      story.report();
      story.delete();
      story.round();
      assert.equal(story.verdict("a").reason, "StateLost");
      const { uid: runUid } = run.metadata;
      const lastResult = { runUid, podUid: "p", at: new Date(story.now()).toISOString(), outcome };
      story.records.set("a", change({ ...record, state: aVersion(outcome.stateSerial), lastResult }, run));
      story.annotate({ [ANNOTATIONS.requestedAt]: "later" });
      story.round();
      return story.started.at(-1);
    };

    it(`is over when the record is back that the newest Run left, also where that was ${what}`, () => {
      assert.equal(
        restored((record) => record),
        "Destroy a #3",
      );
    });

    it(`stays told where the record that is back knows nothing of the newest Run, or has less than it left: ${what}`, () => {
      const before = restored(({ lastResult: _none, ...record }) => record);
      const less = restored((record) => ({ ...record, state: aVersion(6) }));
      for (const last of [before, less]) assert.notEqual(last, "Destroy a #3");
    });
  }

  it("is over when the record is back from when the newest Run only planned: that has changed no state", () => {
    const story = anAppliedStory((record) => record);
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    const { metadata, spec } = story.hold("a");
    const record = story.records.get("a") ?? assert.fail();
    const { uid: runUid, name: run } = metadata;
    const at = new Date(story.now()).toISOString();
    const claim = {
      run,
      runUid,
      number: spec.number,
      podUid: "p",
      phase: "Plan",
      at,
      fenced: { at, why: "superseded" },
    } as const;
    story.end("a", "Cancelled", { reason: "Superseded" });
    story.records.delete("a");
    story.pass(60_000);
    story.report();
    story.delete();
    story.round();
    assert.equal(story.verdict("a").reason, "StateLost");
    story.records.set("a", { ...record, claim } as ComponentRecord);
    story.round();
    assert.equal(story.started.at(-1), "Destroy a #3");
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

  it("is none where its record could not be read, and can be again", () => {
    const story = anAppliedStory((record) => record);
    const line = { name: "a", state: "Stalled", reason: "RecordUnreadable", message: "a chunk is missing" };
    story.edit((environment) => ({
      ...environment,
      status: { observedGeneration: 1, components: [line as ComponentStatus] },
    }));
    story.delete();
    for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
  });

  /** Its record could not be read when the whole was deleted, which takes the Runs; another is there by now. */
  const readableAgain = (happens: (record: ComponentRecord) => ComponentRecord) => {
    const story = anAppliedStory((record) => record);
    const line = { name: "a", state: "Stalled", reason: "KeyMissing", message: "no key" };
    const appliedAt = story.records.get("a")?.applied?.at ?? assert.fail();
    story.edit((environment) => ({
      ...environment,
      status: { observedGeneration: 1, components: [{ ...line, appliedAt } as ComponentStatus] },
    }));
    story.delete();
    for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
    story.records.set("a", happens(story.records.get("a") ?? assert.fail()));
    return story;
  };
  const EARLIER = new Date(T0 - 60_000).toISOString();
  const olderBackup = ({ applied, ...record }: ComponentRecord) =>
    ({ ...record, applied: { ...applied, at: EARLIER }, state: aVersion(3) }) as ComponentRecord;

  it("is that of a record that could not be read, where an older one is in its place, until a person writes a state", () => {
    const story = readableAgain(olderBackup);
    for (let rounds = 0; rounds < 3; rounds += 1) {
      story.round();
      story.report();
    }
    assert.deepEqual([story.verdict("a").reason, story.started.length], ["StateLost", 1]);
    assert.match(story.verdict("a").message, /^restore or push a state.* an older one is in its place$/);
    const written = { by: "ada", at: new Date(story.now()).toISOString(), serial: 8 } as never;
    story.records.set("a", { ...(story.records.get("a") ?? assert.fail()), written });
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
  });

  it("is none where all was destroyed while its record could not be read", () => {
    const story = readableAgain(({ applied: _gone, state: _state, ...record }) => ({
      ...record,
      mayHoldObjects: false,
      lastResult: {
        runUid: "destroyer",
        podUid: "p",
        at: new Date(T0 + 1_000).toISOString(),
        outcome: { result: "Destroyed", reason: "Destroyed", message: "" },
      },
    }));
    story.settle();
    story.report();
    story.settle();
    assert.deepEqual([story.decision().type, story.started.length], ["letGo", 1]);
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

  it("is over when a person has written a state, be it an empty one, and when it is given up", () => {
    const story = inForeground(LOSSES["the state was emptied"]);
    const record = story.records.get("a") ?? assert.fail();
    const written = { by: "ada", at: "2030-01-01T00:00:00.000Z", serial: 8 } as never;
    story.records.set("a", { ...record, mayHoldObjects: false, written });
    story.round();
    assert.ok(story.records.has("a"), "its record goes when the status does not call it lost any more");
    story.report();
    story.settle();
    assert.equal(story.decision().type, "letGo");

    const given = inForeground(LOSSES["the record is gone"]);
    given.edit((environment) => ({ ...environment, spec: { ...environment.spec, deletionPolicy: "Retain" } }));
    assert.equal(given.decision().type, "letGo");
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
