import assert from "node:assert/strict";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { asking, aWaitingStory, withRules } from "./approval-story.ts";
import { aStory } from "./story.ts";

describe("The rules of a Run", () => {
  it("are those of the Environment when it was made", () => {
    const story = aStory(withRules(asking(2)));
    story.round();
    assert.deepEqual(story.runs()[0]?.spec.rules, { approval: { required: 2, expiresAfter: "24h" } });
  });

  it("are the component's own where it has some", () => {
    const own = aComponent("network", { approval: asking(3, { planExpiresAfter: "1h" }) });
    const story = aStory(anEnvironment([own, aComponent("app")], { spec: { approval: asking(1) } }));
    story.round();
    const required = story.runs().map(({ spec }) => [spec.component, spec.rules?.approval?.required]);
    assert.deepEqual(required, [
      ["network", 3],
      ["app", 1],
    ]);
  });

  it("are absent where nobody has to be asked", () => {
    const story = aStory(withRules(asking(0)));
    story.round();
    assert.equal(story.runs()[0]?.spec.rules, undefined);
  });

  it("for a destroy are its own where they are given", () => {
    const story = aStory(withRules(asking(1, { destroy: { required: 2 } })));
    story.settle();
    story.delete();
    story.round();
    assert.equal(story.runs().at(-1)?.spec.operation, "Destroy");
    assert.equal(story.runs().at(-1)?.spec.rules?.approval?.required, 2);
  });

  it("of a component that is removed are those that it was declared with, not looser ones of the Environment", () => {
    const strict = aComponent("network", { approval: asking(2) });
    const story = aStory(anEnvironment([strict, aComponent("app")]));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("app")] } }));
    story.round();
    const destroy = story.runs().find(({ spec }) => spec.operation === "Destroy");
    assert.equal(destroy?.spec.rules?.approval?.required, 2);
  });
});

describe("Destroying, where people are asked", () => {
  it("of a removed component needs no other confirmation than their approval", () => {
    const story = aStory(anEnvironment([aComponent("network"), aComponent("app")], { spec: { approval: asking() } }));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("app")] } }));
    story.round();
    assert.equal(story.started.at(-1), "Destroy network #2");
    story.hold("network");
    assert.equal(story.verdict("network").state, "AwaitingApproval");
  });

  it("of a removed component asks them whatever `unless` says: nothing else would confirm it", () => {
    const approval = { ...asking(2), unless: "plan.changes.all(c, c.type != 'db')" };
    const story = aStory(anEnvironment([aComponent("network"), aComponent("app")], { spec: { approval } }));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("app")] } }));
    story.round();
    story.hold("network");
    assert.deepEqual(story.openRuns()[0]?.spec.rules?.approval, { required: 2, expiresAfter: "24h" });
    story.round();
    story.delete();
    story.round();
    assert.deepEqual(story.superseded, [], "a plan that waits is as good for the deletion of the whole");
    assert.equal(story.verdict("app").step.type, "none");
    const [, whole] = story.openRuns();
    assert.deepEqual([whole?.spec.component, whole?.spec.rules?.approval?.unless], ["app", approval.unless]);
  });

  it("of a component that is declared again is void", () => {
    const story = aStory(anEnvironment([aComponent("network"), aComponent("app")], { spec: { approval: asking() } }));
    story.settle();
    const { components } = story.environment().spec;
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("app")] } }));
    story.round();
    story.hold("network");
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components } }));
    story.round();
    assert.deepEqual(story.superseded, ["a plan to apply is wanted now"]);
  });

  it("of the whole Environment waits in reverse order, and keeps the object until it is approved", () => {
    const story = aStory(
      anEnvironment([aComponent("network"), aComponent("app", { needs: ["network"] })], {
        spec: { approval: asking() },
      }),
    );
    story.settle();
    story.delete();
    story.round();
    assert.equal(story.started.at(-1), "Destroy app #2");
    story.hold("app");
    assert.equal(story.verdict("app").state, "AwaitingApproval");
    assert.equal(story.verdict("network").state, "Blocked");
    story.end("app", "Cancelled", { reason: "Rejected", message: "ada rejected the plan" });
    assert.equal(story.decision().type, "dismantle");
    assert.equal(story.verdict("app").reason, "Rejected");
  });

  it("gives up a plan to apply when the Environment is deleted", () => {
    const story = aWaitingStory();
    story.delete();
    story.round();
    assert.deepEqual(story.superseded, ["the component is to be removed"]);
  });
});
