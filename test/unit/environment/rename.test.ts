import assert from "node:assert/strict";
import type { Component } from "../../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { aComponent, anEnvironment, aRecord } from "../../fakes/objects.ts";
import { type Action, type Story, watching, whenDue } from "./drift-story.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;

const net = (more: Partial<Component> = {}) => aComponent("net", more);
const network = (more: Partial<Component> = {}) => aComponent("network", { formerName: "net", ...more });

const declare = (story: Story, spec: Partial<EnvironmentSpec>) =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } }));

const begun = ({ started }: Story) => started.map((line) => line.replace(/ #.*/, ""));

describe("A rename", () => {
  it("waits for the first Run of the former name, which may have no record yet", () => {
    const story = aStory(anEnvironment([net()]));
    story.round();
    story.records.clear();
    declare(story, { components: [network()] });
    story.round();
    assert.deepEqual(begun(story), ["Apply net"], "nothing is made twice");
    story.end("net", "Applied");
    story.settle();
    assert.deepEqual([...story.records.keys()], ["network"]);
    assert.deepEqual(begun(story), ["Apply net"]);
  });

  it("does not hide that the state is lost", () => {
    const story = aStory(anEnvironment([net()]));
    story.settle();
    story.records.clear();
    story.pass(60_000);
    declare(story, { components: [network()] });
    story.round();
    assert.equal(story.verdict("network").reason, "StateLost");
    assert.deepEqual(begun(story), ["Apply net"]);
    story.delete();
    story.round();
    assert.equal(story.decision().type, "dismantle", "the object stays");
  });

  it("that could not begin before a deletion keeps the policy of the component: what is to be retained is not destroyed", () => {
    const deletionPolicy = "Retain";
    const story = aStory(anEnvironment([net({ deletionPolicy })]));
    story.settle();
    declare(story, { variables: [{ name: "x", value: 1 }] });
    story.round();
    declare(story, { components: [network({ deletionPolicy })] });
    story.round();
    story.report();
    story.delete();
    story.end("net", "Applied");
    story.settle();
    assert.equal(story.records.get("net")?.ownership, "Released");
    assert.deepEqual(begun(story), ["Apply net", "Apply net"]);
  });

  describe("in the night", () => {
    const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
    const lifetime = { sleep } as NonNullable<EnvironmentSpec["lifetime"]>;

    it("moves what sleeps by its own variables, and makes nothing", () => {
      const asleep = { sleep: { variables: [{ name: "replicas", value: 0 }] } };
      const story = aStory(anEnvironment([net(asleep)], { spec: { lifetime } }));
      story.pass(12 * HOUR_MS);
      story.settle();
      story.pass(9 * HOUR_MS);
      story.settle();
      declare(story, { components: [network(asleep)] });
      story.settle();
      assert.deepEqual([...story.records.keys()], ["network"]);
      assert.deepEqual(begun(story), ["Apply net", "Apply net"]);
    });

    it("comes before the sleep of what sleeps by being destroyed", () => {
      const story = aStory(anEnvironment([net({ sleep: { destroy: true } })], { spec: { lifetime } }));
      story.pass(12 * HOUR_MS);
      story.settle();
      declare(story, { variables: [{ name: "x", value: 1 }] });
      story.round();
      declare(story, { components: [network({ sleep: { destroy: true } })] });
      story.pass(9 * HOUR_MS);
      story.end("net", "Applied");
      story.round();
      story.settle();
      assert.deepEqual(begun(story), ["Apply net", "Apply net", "Destroy network"]);
      assert.equal(story.verdict("network").reason, "Asleep");
    });
  });
});

describe("A rename after an apply that was cut off", () => {
  it("lets no Run of the new name have a number from before it, also where all that the state knew is destroyed", () => {
    const story = aStory(anEnvironment([network()]));
    const cutOff = { run: "shop-net-7", number: 7, desiredDigest: "sha256:7", at: new Date(story.now()).toISOString() };
    story.records.set("network", aRecord("network", { mayHoldObjects: false, cutOff }));
    story.round();
    assert.deepEqual(story.started, ["Apply network #8"]);
  });
});

describe("A rename of what has drifted", () => {
  /** The fourth Check has found something, and the Runs of the new name begin with lower numbers. */
  function watchedUnderNewName(action: Action): Story {
    const drift = { interval: "1h", action } as const;
    const story = watching({ interval: "1h" }, ["net"]);
    for (const result of ["Unchanged", "Unchanged", "Unchanged", "Drifted"] as const) {
      whenDue(story);
      story.endCheck("net", result);
    }
    declare(story, { components: [network()], drift, retry: { limit: 1 } });
    story.round();
    story.round();
    story.endCheck("network", "Cancelled");
    story.round();
    return story;
  }

  it("proposes a correction once: a no to it holds", () => {
    const story = watchedUnderNewName("Propose");
    story.hold("network");
    story.end("network", "Cancelled", { reason: "Rejected", message: "it is meant to be so" });
    story.round();
    assert.deepEqual(begun(story).slice(4), ["Check network", "Apply network"]);
    assert.ok(story.verdict("network").satisfied);
  });

  it("tries to correct it no more often than the limit says", () => {
    const story = watchedUnderNewName("Correct");
    for (let tries = 0; tries < 2; tries += 1) {
      story.end("network", "Failed", { reason: "PlanFailed", retry: "Backoff" });
      story.pass(20_000);
      story.round();
    }
    assert.deepEqual(begun(story).slice(4), ["Check network", "Apply network", "Apply network"]);
  });
});

describe("A component whose name is a letter of a former name", () => {
  it("stays in sight when its record is lost", () => {
    const story = aStory(anEnvironment([aComponent("n"), net()]));
    story.settle();
    story.records.delete("n");
    story.pass(60_000);
    declare(story, { components: [net({ formerName: "old-n" })] });
    assert.equal(story.verdict("n").reason, "StateLost");
  });
});

describe("A rename that was cut off", () => {
  /** The old record is marked; the new one may be there already. */
  function cutOffRename(copied: boolean) {
    const story = aStory(anEnvironment([net()]));
    story.settle();
    const record = story.records.get("net");
    assert.ok(record);
    story.records.set("net", { ...record, movingTo: "network" });
    if (copied) story.records.set("network", { ...record, key: { ...record.key, component: "network" } });
    declare(story, { components: [network()] });
    return story;
  }

  for (const copied of [false, true]) {
    const when = copied ? "after the new record was made" : "before the new record was made";

    it(`${when} is finished: nothing is destroyed, nothing made again`, () => {
      const story = cutOffRename(copied);
      story.settle();
      assert.deepEqual([...story.records.keys()], ["network"]);
      assert.deepEqual(story.started, ["Apply net #1"]);
    });

    it(`${when} is finished before a deletion goes on`, () => {
      const story = cutOffRename(copied);
      story.delete();
      story.round();
      story.settle();
      assert.deepEqual(begun(story), ["Apply net", "Destroy network"]);
      assert.equal(story.decision().type, "letGo");
    });

    it(`${when} is finished although nobody wants it any more`, () => {
      const story = cutOffRename(copied);
      declare(story, { components: [net()] });
      story.round();
      assert.deepEqual([...story.records.keys()], ["network"]);
    });
  }
});
