import assert from "node:assert/strict";
import { planStanding } from "../../../operator/environment/plan-standing.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const sized = (size: number) => ({ terraform: { path: ".", variables: [{ name: "size", value: size }] } });
const network = aComponent("network");
const app = aComponent("app", { needs: ["network"], approval: { required: 1, planExpiresAfter: "24h" } });

/** `app` uses no output of `network`, and its plan waits. */
function aWaitingStory(components = [network, app]) {
  const story = aStory(anEnvironment(components));
  story.round();
  story.handOver("network", 3);
  story.end("network", "Applied");
  story.round();
  story.hold("app");
  return story;
}

const declare = (story: ReturnType<typeof aStory>, ...components: readonly (typeof network)[]) =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [...components] } }));

describe("A Run of a component that needs others", () => {
  it("records the states that it is made on", () => {
    const [run] = aWaitingStory().openRuns();
    assert.deepEqual(run?.spec.builtOn, [{ component: "network", serial: 3, lineage: "line" }]);
  });

  it("records none where it needs nobody", () => {
    const [first] = aWaitingStory().runs();
    assert.deepEqual(first?.spec.builtOn, []);
  });

  it("records those also when it corrects what has drifted", () => {
    const drift = { interval: "1h", action: "Correct", ignore: [] } as const;
    const story = aStory(anEnvironment([network, { ...app, drift: { ...drift, ignore: [] } }]));
    story.round();
    story.handOver("network", 3);
    story.end("network", "Applied");
    story.round();
    story.end("app", "Applied");
    story.pass(2 * 3_600_000);
    story.round();
    story.endCheck("app", "Drifted");
    story.round();
    const [correction] = story.openRuns();
    assert.equal(correction?.spec.cause.type, "DriftFound");
    assert.equal(correction.spec.builtOn?.[0]?.serial, 3);
  });
});

describe("A plan that waits, of a component that needs others", () => {
  it("is held back while one of them is not applied as declared, and as long as a Run of it is open", () => {
    const story = aWaitingStory();
    declare(story, { ...network, ...sized(2) }, app);
    assert.equal(story.verdict("app").heldBack, "waits for network (Pending)");
    story.round();
    story.beginApply("network");
    const { state, heldBack } = story.verdict("app");
    assert.deepEqual([state, heldBack], ["AwaitingApproval", "waits for network (Applying)"]);
    assert.deepEqual(story.superseded, []);
  });

  it("may be applied as it is where that came to nothing", () => {
    const story = aWaitingStory();
    declare(story, { ...network, ...sized(2) }, app);
    story.round();
    story.end("network", "Unchanged");
    assert.equal(story.verdict("app").heldBack, undefined);
    story.round();
    assert.deepEqual(story.superseded, []);
  });

  it("is void once one of them has been changed: it was made for an older world", () => {
    const story = aWaitingStory();
    declare(story, { ...network, ...sized(2) }, app);
    story.round();
    story.handOver("network", 4);
    story.end("network", "Applied");
    story.round();
    assert.deepEqual(story.superseded, [
      "network has been changed since: Run shop-network-4 took its state from serial 3 to 4",
    ]);
  });

  it("is void also where a person has put another state in the place of that of one of them", () => {
    const story = aWaitingStory();
    story.handOver("network", 3, { lineage: "another", by: "jane" });
    story.round();
    assert.match(story.superseded[0] ?? "", /^network has been changed since: jane/);
  });

  it("is void where it is to come after another component now", () => {
    const story = aWaitingStory([network, aComponent("other"), app]);
    story.end("other", "Applied");
    declare(story, network, aComponent("other"), { ...app, dependsOn: ["network", "other"] });
    story.round();
    assert.deepEqual(story.superseded, ["it depends on other now"]);
  });

  it("is void where it needed nobody, and is to come after another component now", () => {
    const alone = { ...app, dependsOn: [] };
    const story = aWaitingStory([network, alone]);
    declare(story, network, app);
    story.round();
    assert.deepEqual(story.superseded, ["it depends on network now"]);
  });

  it("is not void because it depends on less now, or because a cache is behind", () => {
    const story = aWaitingStory();
    story.handOver("network", 2);
    story.round();
    declare(story, network, { ...app, dependsOn: [] });
    story.round();
    assert.deepEqual(story.superseded, []);
  });

  it("is not compared where its Run was made before these states were recorded", () => {
    const story = aWaitingStory();
    const [run] = story.openRuns();
    assert.ok(run !== undefined);
    const { builtOn: _unknown, ...spec } = run.spec;
    story.putRun({ ...run, spec });
    story.handOver("network", 9);
    story.round();
    assert.deepEqual(story.superseded, []);
  });

  it("is held back by what only a person can put right, in the words of the component", () => {
    const story = aWaitingStory();
    const [run] = story.openRuns();
    assert.ok(run !== undefined);
    declare(story, { ...network, dependsOn: ["app"] }, app);
    const standing = planStanding(story.observation(), run);
    assert.equal(standing.type, "heldBack");
    assert.match(standing.type === "heldBack" ? standing.why : "", /in a circle/);
  });
});
