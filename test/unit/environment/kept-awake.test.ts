import assert from "node:assert/strict";
import type { Component } from "../../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import { permitted } from "../../../operator/storage/applying.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { loseRecord, makeUpFor } from "./lost-record.ts";
import { edit } from "./recovery-story.ts";
import { aStory } from "./story.ts";

const MINUTE_MS = 60_000;
const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
const nights = { lifetime: { sleep } as NonNullable<EnvironmentSpec["lifetime"]> };
const destroyed = { sleep: { destroy: true } } as const;

type Story = ReturnType<typeof aStory>;

function untilHour(story: Story, hour: number): void {
  while (new Date(story.now()).getUTCHours() !== hour) story.pass(10 * MINUTE_MS);
}

/** `base`, and `a` that uses it: an apply of `a` was cut off, and the plan of another declaration has found nothing to do. */
function settledByAnother(base: Partial<Component> = destroyed): Story {
  const components = [aComponent("base", base), aComponent("a", { needs: ["base"], ...destroyed })];
  const story = aStory(anEnvironment(components, { spec: nights }));
  untilHour(story, 12);
  story.round();
  story.end("base", "Applied");
  story.round();
  story.end("a", "Interrupted");
  edit(story, 2);
  story.round();
  story.end("base", "Unchanged");
  story.round();
  story.end("a", "Unchanged");
  return story;
}

/** What the gateway says to this Run, by the record alone. */
function asked(story: Story, run: Run) {
  const record = story.records.get(run.spec.component) ?? assert.fail();
  const { name, uid } = run.metadata;
  const { number, operation, desiredDigest, engine, inputs, cause } = run.spec;
  const { key, owner } = record;
  const pod = { key, ...owner, run: name, runUid: uid, number, phase: "Plan", pod: name, podUid: "pod" } as const;
  const intent = { desiredDigest, run: name, runUid: uid, number, engine, inputs };
  const wish = { operation, planDigest: "p", intent, correction: false, shown: false };
  const claim = { ...pod, at: "" };
  const ofItself = cause.type === "Asleep";
  return permitted({ ...record, claim }, pod, { ...wish, ofItself }, new Date(story.now())).answer;
}

describe("A component of which an interrupted apply may have left something", () => {
  it("stays awake in the night, with what it uses, and says why", () => {
    const story = settledByAnother();
    const before = story.started.length;
    untilHour(story, 21);
    story.round();
    assert.deepEqual(story.started.slice(before), []);
    const told = ["base", "a"].map((name) => `${story.verdict(name).state}: ${story.verdict(name).message}`);
    assert.deepEqual(told, [
      "Ready: stays awake, since a does",
      "Ready: stays awake, since Run 1 was interrupted, and no apply has ended well since",
    ]);
  });

  it("sleeps again where a person has asked for a Run since, for which nothing was left to do", () => {
    const story = settledByAnother();
    story.annotate({ [ANNOTATIONS.requestedAt]: "it may go" });
    for (const name of ["base", "a"]) {
      story.round();
      story.end(name, "Unchanged");
    }
    const before = story.started.length;
    untilHour(story, 21);
    story.round();
    assert.deepEqual(story.started.slice(before), ["Destroy a #4"]);
    const destroy = story.openRuns().find(({ spec }) => spec.operation === "Destroy") ?? assert.fail();
    assert.equal(asked(story, destroy).type, "granted");
  });

  it("keeps what it uses from being scaled, and the whole is Ready", () => {
    const story = settledByAnother({ sleep: { variables: [{ name: "replicas", value: 0 }] } });
    untilHour(story, 21);
    assert.deepEqual([story.verdict("base").state, story.verdict("a").state], ["Ready", "Ready"]);
    edit(story, 3);
    story.settle();
    assert.deepEqual(story.started.slice(-4), ["Apply base #3", "Apply a #3", "Destroy a #4", "Apply base #4"]);
  });

  it("sleeps once an apply has ended well", () => {
    const story = settledByAnother();
    edit(story, 3);
    story.settle();
    untilHour(story, 21);
    story.settle();
    assert.deepEqual(story.started.slice(-2), ["Destroy a #4", "Destroy base #4"]);
  });

  it("is not woken by that where it was destroyed before", () => {
    const story = settledByAnother();
    const { spec } = story.environment();
    story.edit((environment) => ({ ...environment, spec: { ...spec, components: spec.components.slice(0, 1) } }));
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "a" });
    story.round();
    untilHour(story, 21);
    story.end("a", "Destroyed");
    story.edit((environment) => ({ ...environment, spec }));
    assert.ok(story.records.get("a")?.cutOff);
    assert.equal(story.verdict("a").reason, "Asleep");
  });
});

describe("A component whose lost record was made up for by a push", () => {
  /** `base`, and `a` that uses it; the plan of `a` waits for a person. */
  function waiting(): Story {
    const components = [aComponent("base", destroyed), aComponent("a", { needs: ["base"], ...destroyed })];
    const story = aStory(anEnvironment(components, { spec: nights }));
    untilHour(story, 12);
    story.settle();
    loseRecord(story, "a");
    makeUpFor(story, "a");
    story.hold("a");
    return story;
  }

  it("stays awake in the night, with what it uses, and its plan waits", () => {
    const story = waiting();
    untilHour(story, 21);
    story.round();
    assert.deepEqual(story.superseded, []);
    assert.equal(story.verdict("a").state, "AwaitingApproval");
    assert.equal(story.verdict("base").message, "stays awake, since a does");
  });

  it("sleeps once a person has looked", () => {
    const story = waiting();
    untilHour(story, 21);
    story.end("a", "Applied");
    story.settle();
    assert.deepEqual(story.started.slice(-2), ["Destroy a #3", "Destroy base #2"]);
  });

  it("is not woken where it had been destroyed for the night, whether the record tells that or its Runs", () => {
    for (const outcome of [{ result: "Destroyed", reason: "", message: "" } as const, undefined]) {
      const components = [aComponent("a", destroyed)];
      const story = aStory(anEnvironment(components, { spec: nights }));
      untilHour(story, 12);
      story.settle();
      untilHour(story, 21);
      story.settle();
      makeUpFor(story, "a");
      const record = story.records.get("a") ?? assert.fail();
      const lastResult = outcome && { outcome, runUid: "run", podUid: "pod", at: "" };
      story.records.set("a", { ...record, ...(lastResult === undefined ? {} : { lastResult }) });
      if (lastResult !== undefined) for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
      assert.equal(story.verdict("a").reason, "Asleep");
    }
  });
});

describe("A destroy for the night", () => {
  it("is begun only where the gateway lets it be applied", () => {
    for (const result of ["Unchanged", "Failed", "Applied"] as const) {
      const story = settledByAnother();
      edit(story, 3);
      story.round();
      story.end("base", "Applied");
      story.round();
      story.end("a", result, { reason: result === "Failed" ? "PlanFailed" : "" });
      untilHour(story, 21);
      story.round();
      const destroys = story.openRuns().filter(({ spec }) => spec.operation === "Destroy");
      assert.deepEqual(
        destroys.map(({ spec }) => spec.component),
        result === "Applied" ? ["a"] : [],
      );
      for (const run of destroys) assert.equal(asked(story, run).type, "granted");
    }
  });
});
