/** What ends a loss that was told: the record is back, a person has written a state, or it is given up. */
import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { anAppliedStory, aToldLoss, aVersion, LOSSES } from "./lost-story.ts";
import { aStory } from "./story.ts";

type Story = ReturnType<typeof aStory>;

describe("A lost state that was told of", () => {
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

  it("is over when a person has written a state, be it an empty one, and when it is given up", () => {
    const story = aToldLoss(LOSSES["the state was emptied"]);
    const record = story.records.get("a") ?? assert.fail();
    const written = { by: "ada", at: "2030-01-01T00:00:00.000Z", serial: 8 } as never;
    story.records.set("a", { ...record, mayHoldObjects: false, written });
    story.round();
    assert.ok(story.records.has("a"), "its record goes when the status does not call it lost any more");
    story.report();
    story.settle();
    assert.equal(story.decision().type, "letGo");

    const given = aToldLoss(LOSSES["the record is gone"]);
    given.edit((environment) => ({ ...environment, spec: { ...environment.spec, deletionPolicy: "Retain" } }));
    assert.equal(given.decision().type, "letGo");
  });
});
