import assert from "node:assert/strict";
import type { Component } from "../../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { aComponent, anEnvironment, anOutput, aRecord } from "../../fakes/objects.ts";
import { loseRecord, makeUpFor } from "./lost-record.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
const vpc = { name: "vpc", valueFrom: { output: { component: "net", name: "id" } } };
const terraform = { path: ".", variables: [vpc] };
const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
const nights = { lifetime: { sleep } as NonNullable<EnvironmentSpec["lifetime"]> };

type Story = ReturnType<typeof aStory>;

/** `net`, and `app` that uses an output of it, are there, and the record of `app` is lost. */
function appIsLost(more: Partial<Component> = {}, spec: Partial<EnvironmentSpec> = {}): Story {
  const story = aStory(anEnvironment([aComponent("net", more), aComponent("app", { ...more, terraform })], { spec }));
  story.pass(8 * HOUR_MS);
  story.settle({ net: [anOutput("id")] });
  loseRecord(story, "app");
  return story;
}

const declare = (story: Story, components: readonly Component[]): void =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [...components] } }));

const netWaits = (story: Story): void => {
  story.round();
  assert.equal(story.verdict("net").message, "is destroyed after app");
  assert.equal(story.started.filter((what) => what.startsWith("Destroy")).length, 0);
};

describe("A component whose record is lost", () => {
  it("is destroyed before what it uses, at a deletion and for the night", () => {
    const deleted = appIsLost();
    deleted.delete();
    netWaits(deleted);
    assert.equal(deleted.verdict("app").reason, "StateLost");
    const night = appIsLost({ sleep: { destroy: true } }, nights);
    night.pass(12 * HOUR_MS);
    netWaits(night);
  });

  it("is destroyed before what nothing but its Run says that it uses", () => {
    for (const left of [[aComponent("app")], []]) {
      const story = appIsLost();
      declare(story, left);
      story.annotate({ [ANNOTATIONS.confirmDestroy]: "net" });
      netWaits(story);
    }
  });

  it("is destroyed before what it uses also where it has had another name until then", () => {
    const story = aStory(anEnvironment([aComponent("net"), aComponent("web", { terraform })]));
    story.settle({ net: [anOutput("id")] });
    declare(story, [aComponent("net"), aComponent("app", { formerName: "web", terraform })]);
    story.round();
    loseRecord(story, "app");
    declare(story, [aComponent("net")]);
    story.delete();
    netWaits(story);
  });

  it("is destroyed before what it uses where the record is from before the apply that began to use it", () => {
    const story = aStory(anEnvironment([aComponent("net"), aComponent("app")]));
    story.settle({ net: [anOutput("id")] });
    const old = story.records.get("app") ?? assert.fail();
    declare(story, [aComponent("net"), aComponent("app", { terraform })]);
    story.settle();
    story.records.set("app", old);
    declare(story, [aComponent("net"), aComponent("app")]);
    story.pass(HOUR_MS);
    story.delete();
    netWaits(story);
  });

  it("keeps nothing that it uses where it is given up", () => {
    const story = appIsLost();
    story.delete();
    declare(story, [aComponent("net"), aComponent("app", { terraform, deletionPolicy: "Retain" })]);
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Destroy net #2"]);
  });
});

describe("What a component uses of which nothing says yet what it was applied from", () => {
  it("is not destroyed before it where its state was moved in", () => {
    const story = aStory(anEnvironment([aComponent("net"), aComponent("app", { terraform })]));
    story.round();
    story.end("net", "Applied", { outputs: [anOutput("id")] });
    story.records.set("app", aRecord("app"));
    story.delete();
    netWaits(story);
  });

  it("is not destroyed before it where a state was pushed in the place of a lost record", () => {
    const story = appIsLost();
    makeUpFor(story, "app");
    story.delete();
    story.round();
    netWaits(story);
  });
});

describe("What a component uses whose first Run is at work", () => {
  const beginning = (): Story => {
    const story = aStory(anEnvironment([aComponent("net"), aComponent("app", { needs: ["net"] })]));
    story.round();
    story.end("net", "Applied");
    story.round();
    assert.deepEqual(story.started, ["Apply net #1", "Apply app #1"]);
    return story;
  };

  it("is not destroyed before that Run has ended, since it may have been allowed to apply just now", () => {
    const story = beginning();
    story.delete();
    netWaits(story);
    story.end("app", "Cancelled", { reason: "Destroying" });
    story.round();
    assert.deepEqual(story.started.slice(2), ["Destroy net #2"]);
  });

  it("is not destroyed before it either where the state was another Environment's until then", () => {
    const story = beginning();
    story.records.set("app", aRecord("app", { owner: { environmentUid: "another" } }));
    story.delete();
    netWaits(story);
  });
});
