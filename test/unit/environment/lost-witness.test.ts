import assert from "node:assert/strict";
import type { Component } from "../../../operator/api/component.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { RunOutcome } from "../../../operator/api/run-status.ts";
import { surplusRuns } from "../../../operator/environment/history.ts";
import { pastOf } from "../../../operator/environment/observation.ts";
import { aComponent, anEnvironment, aRecord, ended } from "../../fakes/objects.ts";
import { loseRecord } from "./lost-record.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
const LEFT = { stateSerial: 7, stateLineage: "line", resources: 2 };

type Story = ReturnType<typeof aStory>;

const aStoryOf = () => aStory(anEnvironment([aComponent("a")]));

/** The next Run of a component ends so, an apply with a state, and its history is pruned. */
function runs(story: Story, component: string, result: RunOutcome["result"], more: Partial<RunOutcome> = {}) {
  story.pass(HOUR_MS);
  story.annotate({ [ANNOTATIONS.requestedAt]: `${story.now()}` });
  story.round();
  story.end(component, result, more);
  if (result === "Applied") story.handOver(component, 7, { resources: 2 });
  const past = pastOf(story.observation(), component);
  for (const { metadata } of surplusRuns(past, undefined, new Date(story.now()))) story.forgetRun(metadata.name);
}

function movesIn(story: Story, component: string) {
  const at = new Date(story.now()).toISOString();
  story.records.set(
    component,
    aRecord(component, { written: { how: "Push", by: "jane", at, serial: 7, newestRun: 0 } }),
  );
  story.handOver(component, 7, { by: "jane", resources: 2 });
}

const declare = (story: Story, ...components: readonly Component[]) =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [...components] } }));

/** It is removed, with all that it made, and forgotten. */
function destroys(story: Story, component: string) {
  declare(story);
  story.annotate({ [ANNOTATIONS.confirmDestroy]: component });
  runs(story, component, "Destroyed", { ...LEFT, resources: 0 });
  story.round();
  assert.equal(story.records.get(component), undefined);
}

/** Nothing is made again, and nothing is left behind. */
function isCalledLost(story: Story, component: string) {
  const before = story.started.length;
  story.round();
  assert.equal(story.verdict(component).reason, "StateLost");
  story.delete();
  story.round();
  assert.equal(story.decision().type, "dismantle", "the object stays");
  assert.equal(story.started.length, before);
}

describe("A record that is lost is missed by its Runs", () => {
  it("where one has found that nothing is to be done, as for a state that was moved in", () => {
    const story = aStoryOf();
    movesIn(story, "a");
    runs(story, "a", "Unchanged", LEFT);
    loseRecord(story, "a");
    isCalledLost(story, "a");
  });

  it("where one has failed in its plan, and had seen what a person had moved in", () => {
    const story = aStoryOf();
    movesIn(story, "a");
    runs(story, "a", "Failed", { reason: "PlanFailed", ...LEFT });
    loseRecord(story, "a");
    isCalledLost(story, "a");
  });

  it("where the apply is not kept any more, and those that are have found nothing to do", () => {
    const story = aStoryOf();
    runs(story, "a", "Applied", LEFT);
    for (let times = 0; times < 10; times += 1) runs(story, "a", "Unchanged", LEFT);
    assert.ok(!story.runs().some(({ spec }) => spec.number === 1));
    loseRecord(story, "a");
    isCalledLost(story, "a");
  });

  it("where an apply was cut off before anybody wrote down that it began", () => {
    const story = aStoryOf();
    story.round();
    const run = story.openRuns()[0] ?? assert.fail();
    story.putRun(ended(run, { result: "Interrupted", reason: "Interrupted" }, story.now()));
    loseRecord(story, "a");
    isCalledLost(story, "a");
  });
});

describe("A record that is lost after a rename is missed by the Runs of the former name", () => {
  /** Applied as `a`, and renamed to each of these in turn, without a Run. */
  function renamed(...names: readonly string[]) {
    const story = aStoryOf();
    runs(story, "a", "Applied", LEFT);
    names.forEach((name, index) => {
      declare(story, aComponent(name, { formerName: names[index - 1] ?? "a" }));
      story.settle();
    });
    assert.deepEqual(story.started, ["Apply a #1"]);
    return story;
  }

  it("and told of under the new one", () => {
    const story = renamed("net");
    loseRecord(story, "net");
    assert.match(story.verdict("net").message, /Run 1 left one under the name a, and the store knows nothing of it/);
    isCalledLost(story, "net");
  });

  it("also after another rename", () => {
    const story = renamed("net", "network");
    loseRecord(story, "network");
    isCalledLost(story, "network");
  });

  it("also when the end of a Run has made an empty one in its place", () => {
    const story = renamed("net");
    story.records.set("net", aRecord("net", { mayHoldObjects: false }));
    story.pass(HOUR_MS);
    isCalledLost(story, "net");
  });

  it("also when it is no longer declared", () => {
    const story = renamed("net");
    loseRecord(story, "net");
    declare(story);
    isCalledLost(story, "net");
  });

  it("until all was destroyed under the new one", () => {
    const story = renamed("net");
    destroys(story, "net");
    declare(story, aComponent("net"));
    runs(story, "net", "Failed", { reason: "PlanFailed" });
    loseRecord(story, "net");
    assert.notEqual(story.verdict("net").reason, "StateLost");
  });

  it("and not under that: whoever gets the name is new", () => {
    const story = renamed("net");
    declare(story, aComponent("net"), aComponent("a"));
    story.pass(HOUR_MS);
    story.round();
    assert.deepEqual(story.started, ["Apply a #1", "Apply a #2"]);
  });

  it("and not where an earlier version has marked its Runs, which did not follow a state beyond one rename", () => {
    for (const last of ["net", "a"]) {
      const story = renamed("vpc", last);
      for (const run of story.runs())
        story.putRun({ ...run, metadata: { ...run.metadata, annotations: { [ANNOTATIONS.movedTo]: "vpc" } } });
      story.pass(HOUR_MS);
      assert.equal(story.verdict(last).state, "Ready");
      story.delete();
      story.settle();
      story.settle();
      assert.equal(story.decision().type, "letGo");
    }
  });

  it("and not while it is on its way, although nobody wants it there any more", () => {
    const story = aStoryOf();
    runs(story, "a", "Applied", LEFT);
    const [run] = story.runs();
    const record = story.records.get("a");
    assert.ok(run && record);
    story.records.set("a", { ...record, movingTo: "net" });
    story.putRun({
      ...run,
      metadata: { ...run.metadata, annotations: { [ANNOTATIONS.movedTo]: "net", [ANNOTATIONS.stateName]: "net" } },
    });
    story.pass(HOUR_MS);
    const decision = story.decision();
    assert.ok("verdicts" in decision);
    assert.deepEqual(
      decision.verdicts.map(({ name, step }) => [name, step.type]),
      [["a", "renameState"]],
    );
  });

  it("and not where a state came back to a name, and all was destroyed", () => {
    const story = renamed("net", "a");
    destroys(story, "a");
    declare(story, aComponent("net"), aComponent("a"));
    assert.deepEqual(
      [story.verdict("a"), story.verdict("net")].map(({ step }) => step.type),
      ["startRun", "startRun"],
    );
  });
});

describe("A record that was lost", () => {
  for (const isDeclared of [true, false])
    it(`stays lost when its witness is too old for the history (declared: ${isDeclared})`, () => {
      const story = aStoryOf();
      story.edit(({ spec, ...environment }) => ({
        ...environment,
        spec: { ...spec, history: { successes: 10, failures: 20, maxAge: "2h" } },
      }));
      runs(story, "a", "Failed", { reason: "ApplyFailed", ...LEFT });
      story.handOver("a", 7, { resources: 2 });
      runs(story, "a", "Failed", { reason: "RunnerLost" });
      loseRecord(story, "a");
      if (!isDeclared) declare(story);
      story.report();
      assert.equal(story.verdict("a").reason, "StateLost");
      story.pass(24 * HOUR_MS);
      const { history } = story.environment().spec;
      const gone = surplusRuns(pastOf(story.observation(), "a"), history, new Date(story.now()));
      for (const { metadata } of gone) story.forgetRun(metadata.name);
      isCalledLost(story, "a");
    });
});

describe("A record is not missed", () => {
  const endings: readonly (readonly [string, (story: Story) => void])[] = [
    ["where the first plan failed", (story) => runs(story, "a", "Failed", { reason: "PlanFailed" })],
    ["where the first plan was rejected", (story) => runs(story, "a", "Cancelled", { reason: "Rejected" })],
    ["where there was nothing to make", (story) => runs(story, "a", "Unchanged", { ...LEFT, resources: 0 })],
    [
      "where all was destroyed, and the next plan failed",
      (story) => {
        runs(story, "a", "Applied", LEFT);
        destroys(story, "a");
        declare(story, aComponent("a"));
        runs(story, "a", "Failed", { reason: "PlanFailed" });
      },
    ],
  ];
  for (const [when, tell] of endings)
    it(when, () => {
      const story = aStoryOf();
      tell(story);
      loseRecord(story, "a");
      assert.notEqual(story.verdict("a").reason, "StateLost");
      story.delete();
      assert.equal(story.decision().type, "letGo");
    });
});
