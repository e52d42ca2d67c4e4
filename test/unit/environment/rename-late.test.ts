import assert from "node:assert/strict";
import type { Component } from "../../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import { planStanding } from "../../../operator/environment/plan-standing.ts";
import { emptyRecord } from "../../../operator/storage/ownership.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
const approval = { required: 1, planExpiresAfter: "24h" } as NonNullable<EnvironmentSpec["approval"]>;

const net = (more: Partial<Component> = {}) => aComponent("net", more);
const network = (more: Partial<Component> = {}) => aComponent("network", more);
const renamed = network({ formerName: "net" });

type Story = ReturnType<typeof aStory>;

const declare = (story: Story, ...components: readonly Component[]): void =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [...components] } }));

/** The record that the claim of a first Run makes. */
function putBlank(story: Story, component: string): void {
  const key = { namespace: "team", environment: "shop", component };
  story.records.set(component, emptyRecord(key, "env-uid", new Date(story.now())));
}

const storageOf = (story: Story, component: string) => story.records.get(component)?.storageId;
const standing = (story: Story, { metadata }: Run) => {
  const run = story.runs().find((one) => one.metadata.uid === metadata.uid) ?? assert.fail();
  return planStanding(story.observation(), run);
};

/** `net` is called `network` now, and nobody has said so: what it made is to be made again, and then destroyed. */
function forgotten(spec: Partial<EnvironmentSpec> = { approval }): Story {
  const story = aStory(anEnvironment([net()], { spec }));
  story.settle();
  declare(story, network());
  story.round();
  putBlank(story, "network");
  return story;
}

describe("A former name that is declared late", () => {
  it("voids the plan that makes everything anew, and the one that destroys what is there, and the state moves", () => {
    const story = forgotten();
    const plans = [story.hold("network"), story.hold("net")];
    declare(story, renamed);
    for (const plan of plans) assert.notEqual(standing(story, plan).type, "stands");
    story.round();
    story.round();
    assert.deepEqual(story.superseded, ["the component is called network now", "its state comes from net"]);
    story.settle();
    assert.deepEqual([...story.records.keys()], ["network"]);
    assert.equal(storageOf(story, "network"), "storage-net");
    assert.equal(story.verdict("network").state, "Ready");
    assert.deepEqual(story.started, ["Apply net #1", "Apply network #1", "Destroy net #2"]);
  });

  for (const [what, end] of [
    ["failed", { result: "Failed", reason: "PlanFailed", retry: "Never" }],
    ["was rejected", { result: "Cancelled", reason: "Rejected" }],
  ] as const) {
    it(`moves the state also where the plan that makes everything anew ${what}`, () => {
      const story = forgotten({});
      const { result, ...more } = end;
      story.end("network", result, more);
      declare(story, renamed);
      story.settle();
      assert.deepEqual([storageOf(story, "network"), story.verdict("network").state], ["storage-net", "Ready"]);
    });
  }

  it("waits for the Run that is at work under the new name", () => {
    const story = forgotten();
    story.hold("net");
    declare(story, renamed);
    story.round();
    story.round();
    assert.deepEqual(story.superseded, ["the component is called network now"]);
    assert.equal(story.verdict("network").reason, "Progressing");
    story.hold("network");
    story.round();
    story.settle();
    assert.deepEqual([storageOf(story, "network"), story.verdict("network").state], ["storage-net", "Ready"]);
  });

  it("lets no plan of the new name be applied while a Run of the former one is at work", () => {
    const story = forgotten();
    const plan = story.hold("network");
    story.beginApply("net");
    declare(story, renamed);
    assert.deepEqual(standing(story, plan), { type: "void", why: "its state comes from net" });
  });

  it("does not hide that the state is lost, also when the Environment is deleted", () => {
    const story = forgotten({});
    story.end("network", "Failed", { reason: "PlanFailed", retry: "Never" });
    story.records.delete("net");
    story.pass(HOUR_MS);
    declare(story, renamed);
    assert.equal(story.verdict("network").reason, "StateLost");
    story.delete();
    story.settle();
    assert.equal(story.decision().type, "dismantle");
    assert.equal(story.verdict("net").reason, "StateLost");
  });

  it("does not put the state in the place of one that is lost", () => {
    const story = aStory(anEnvironment([net(), network()]));
    story.settle();
    putBlank(story, "network");
    story.pass(HOUR_MS);
    declare(story, renamed);
    story.round();
    assert.equal(story.verdict("network").reason, "StateLost");
    assert.deepEqual([...story.records.keys()].sort(), ["net", "network"]);
  });

  it("does not take the place of what is claimed still, by a Run that is gone", () => {
    const story = forgotten({});
    story.end("network", "Failed", { reason: "PlanFailed", retry: "Never" });
    const record = story.records.get("network") ?? assert.fail();
    const at = new Date(story.now()).toISOString();
    const claim = {
      run: "shop-network-1",
      runUid: "network-1",
      phase: "Plan",
      pod: "p",
      podUid: "pod-uid",
      at,
    } as const;
    story.records.set("network", { ...record, claim });
    story.pass(HOUR_MS);
    declare(story, renamed);
    story.round();
    assert.equal(story.verdict("network").reason, "LockOrphaned");
  });

  it("is nothing to a plan where nothing of that name was made", () => {
    const story = aStory(anEnvironment([renamed], { spec: { approval } }));
    story.round();
    putBlank(story, "network");
    const plan = story.hold("network");
    assert.deepEqual(standing(story, plan), { type: "stands" });
    assert.equal(story.verdict("network").state, "AwaitingApproval");
  });
});

describe("A new name that is taken", () => {
  const taken = { state: "Stalled", reason: "NameTaken", step: { type: "none" } } as const;
  const answer = ({ state, reason, step }: ReturnType<Story["verdict"]>) => ({ state, reason, step });

  /** Both exist, and the one is to take the name of the other in a single edit. */
  function swapped(spec: Partial<EnvironmentSpec> = {}): Story {
    const story = aStory(anEnvironment([network(), net({ terraform: { path: "v2" } })], { spec }));
    story.settle();
    declare(story, network({ formerName: "net", terraform: { path: "v2" } }));
    return story;
  }

  it("is told, and nothing is planned on the state that is there, nor is anybody asked to destroy the other", () => {
    const story = swapped();
    story.round();
    assert.deepEqual(answer(story.verdict("network")), taken);
    assert.equal(
      story.verdict("network").message,
      "declare it as net again, or take formerName off: network has a state of its own, so that of net cannot move there",
    );
    assert.throws(() => story.verdict("net"));
    assert.equal(story.started.length, 2);
  });

  it("is told also where what has it was released", () => {
    const story = aStory(anEnvironment([net(), network({ deletionPolicy: "Retain" })]));
    story.settle();
    story.report();
    declare(story, net());
    story.round();
    assert.equal(story.records.get("network")?.ownership, "Released");
    declare(story, renamed);
    assert.deepEqual(answer(story.verdict("network")), taken);
  });

  it("voids the plans of both", () => {
    const story = forgotten();
    story.hold("network");
    story.end("network", "Applied");
    const plan = story.hold("net");
    declare(story, renamed);
    assert.equal(standing(story, plan).type, "void");
    story.round();
    story.round();
    assert.deepEqual(answer(story.verdict("network")), taken);
  });

  it("is free once what had it is destroyed: then the state moves", () => {
    const story = swapped();
    const v2 = { terraform: { path: "v2" } };
    declare(story, net(v2));
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "network" });
    story.settle();
    story.pass(HOUR_MS);
    declare(story, network({ formerName: "net", ...v2 }));
    story.settle();
    story.settle();
    assert.deepEqual([storageOf(story, "network"), story.verdict("network").state], ["storage-net", "Ready"]);
  });

  it("leaves a removal to its confirmation once no former name is declared", () => {
    const story = swapped();
    declare(story, network());
    assert.equal(story.verdict("net").reason, "RemovalNeedsConfirmation");
    assert.equal(story.verdict("network").state, "Ready");
  });

  it("is not taken by the state that has moved there, nor by what the former name has that holds nothing", () => {
    const story = aStory(anEnvironment([net()]));
    story.settle();
    declare(story, renamed);
    story.settle();
    assert.equal(story.verdict("network").state, "Ready");
    putBlank(story, "net");
    story.round();
    assert.deepEqual([...story.records.keys()], ["network"]);
  });

  it("does not keep a deleted Environment from destroying both", () => {
    const story = swapped();
    story.delete();
    story.settle();
    assert.deepEqual(story.started.slice(2).sort(), ["Destroy net #2", "Destroy network #2"]);
    assert.equal(story.decision().type, "letGo");
  });
});

describe("A rename back to the first name", () => {
  it("goes on where the Runs have heard of it already: they miss nothing that is still under the other name", () => {
    const story = aStory(anEnvironment([net()]));
    story.settle();
    declare(story, renamed);
    story.round();
    for (const run of story.runs()) {
      const annotations = { ...run.metadata.annotations, [ANNOTATIONS.stateName]: "net" };
      story.putRun({ ...run, metadata: { ...run.metadata, annotations } });
    }
    story.pass(HOUR_MS);
    declare(story, net({ formerName: "network" }));
    story.round();
    assert.deepEqual([...story.records.keys()], ["net"]);
    assert.equal(story.verdict("net").state, "Ready");
  });
});

describe("A rename to a third name", () => {
  it("is not begun before the one that was cut off is finished", () => {
    const story = aStory(anEnvironment([net()]));
    story.settle();
    const record = story.records.get("net") ?? assert.fail();
    story.records.set("net", { ...record, movingTo: "vpc" });
    declare(story, renamed);
    story.round();
    assert.equal(storageOf(story, "vpc"), "storage-net");
  });
});
