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

describe("What was renamed", () => {
  const app = (needed: string, more: Partial<Component> = {}) => aComponent("app", { needs: [needed], ...more });
  const broken = { terraform: { path: "v2" } };
  const asleep = { sleep: { destroy: true } };

  /** `app` was applied with the first name, and `net` has had as many others since. */
  function renamed(...names: readonly string[]): Story {
    const story = aStory(anEnvironment([aComponent("net"), app("net")]));
    story.settle();
    let formerName = "net";
    for (const name of names) {
      declare(story, [aComponent(name, { formerName }), app(name)]);
      story.settle();
      formerName = name;
    }
    return story;
  }

  /** A change of `app` fails, so that it stays as it was applied. `more`: of what it uses. */
  function withFailedChange(story: Story, name: string, more: Partial<Component> = {}): void {
    declare(story, [aComponent(name, more), app(name, broken)]);
    story.round();
    story.end("app", "Failed", { reason: "PlanFailed", retry: "Never" });
  }

  const destroyed = (story: Story): readonly string[] => story.started.filter((what) => what.startsWith("Destroy"));

  it("is destroyed after what was applied with its former name, also where the spec has forgotten that", () => {
    const story = renamed("network");
    withFailedChange(story, "network");
    story.delete();
    story.round();
    assert.deepEqual(destroyed(story), ["Destroy app #3"]);
    assert.equal(story.verdict("network").message, "is destroyed after app");
    story.settle();
    assert.deepEqual(destroyed(story), ["Destroy app #3", "Destroy network #2"]);
  });

  it("is destroyed after what was applied with the first of its names, where it has had several", () => {
    const story = renamed("network", "vpc");
    withFailedChange(story, "vpc", { formerName: "network" });
    story.delete();
    story.round();
    assert.deepEqual(destroyed(story), ["Destroy app #3"]);
  });

  it("is destroyed after what uses it where both are removed", () => {
    const story = renamed("network");
    declare(story, [aComponent("other")]);
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "network,app" });
    story.round();
    assert.deepEqual(destroyed(story), ["Destroy app #2"]);
  });

  it("falls asleep after what was applied with its former name", () => {
    const story = aStory(anEnvironment([aComponent("net", asleep), app("net", asleep)], { spec: nights }));
    story.pass(8 * HOUR_MS);
    story.settle();
    declare(story, [aComponent("network", { formerName: "net", ...asleep }), app("network", asleep)]);
    story.settle();
    declare(story, [aComponent("network", asleep), app("network", { ...asleep, ...broken })]);
    story.round();
    story.end("app", "Failed", { reason: "PlanFailed", retry: "Never" });
    story.pass(13 * HOUR_MS);
    story.round();
    assert.deepEqual(destroyed(story), ["Destroy app #3"]);
  });

  it("does not wait for itself where it has the name of what it was applied with", () => {
    const story = aStory(anEnvironment([aComponent("net"), app("net"), aComponent("web", { needs: ["app"] })]));
    story.settle();
    declare(story, [aComponent("app"), aComponent("web", { needs: ["app"] })]);
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "net" });
    story.settle();
    story.pass(HOUR_MS);
    const web = aComponent("web", { needs: ["net"] });
    declare(story, [aComponent("net", { formerName: "app" }), web]);
    story.settle();
    declare(story, [aComponent("net", { formerName: "app", ...broken }), web]);
    story.round();
    story.delete();
    story.end("net", "Failed", { reason: "PlanFailed", retry: "Never" });
    story.round();
    assert.deepEqual(destroyed(story).slice(1), ["Destroy web #2"]);
  });

  it("is not waited for by what uses another that has its former name now", () => {
    const story = renamed("network");
    declare(story, [aComponent("network"), aComponent("net"), app("net")]);
    story.settle();
    declare(story, [aComponent("net"), app("net", broken)]);
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "network" });
    story.round();
    assert.deepEqual(destroyed(story), ["Destroy network #2"]);
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
