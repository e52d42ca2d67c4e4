import assert from "node:assert/strict";
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

describe("A record is not missed", () => {
  const endings: readonly (readonly [string, (story: Story) => void])[] = [
    ["where the first plan failed", (story) => runs(story, "a", "Failed", { reason: "PlanFailed" })],
    ["where the first plan was rejected", (story) => runs(story, "a", "Cancelled", { reason: "Rejected" })],
    ["where there was nothing to make", (story) => runs(story, "a", "Unchanged", { ...LEFT, resources: 0 })],
    [
      "where all was destroyed, and the next plan failed",
      (story) => {
        runs(story, "a", "Applied", LEFT);
        story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [] } }));
        story.annotate({ [ANNOTATIONS.confirmDestroy]: "a" });
        runs(story, "a", "Destroyed", { ...LEFT, resources: 0 });
        story.round();
        story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("a")] } }));
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
