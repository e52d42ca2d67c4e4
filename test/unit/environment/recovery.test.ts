import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { asks, cutOff, edit, FOR_ONE, HOUR_MS, open, type Story } from "./recovery-story.ts";
import { aStory } from "./story.ts";

describe("After an apply that was cut off", () => {
  it("what is left to do is planned for a person, although no rule asks anybody", () => {
    const story = cutOff();
    assert.deepEqual(story.started, ["Apply a #1", "Apply a #2"]);
    assert.deepEqual(open(story).spec.cause, { type: "Recovery", detail: "Run 1 was interrupted" });
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("as many people are asked as the rules say, and nothing is exempt", () => {
    const story = cutOff({ approval: { required: 2, unless: "plan.delete == 0", planExpiresAfter: "2h" } });
    assert.deepEqual(asks(story), { required: 2, expiresAfter: "2h" });
  });

  it("every message says so, whatever else stands in the way, and the status names the Run", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    const leftovers = [{ address: "thing.a" }];
    story.end("a", "Interrupted", { journal: { entries: 2, leftovers } });
    const first = story.verdict("a");
    assert.deepEqual([first.state, first.reason], ["Interrupted", "Recovering"]);
    assert.match(first.message, /^Run 1 was interrupted; its journal names what no state had then; Run 2 plans/);
    story.round();
    story.hold("a");
    story.report();
    const [line] = story.environment().status?.components ?? [];
    assert.match(
      line?.message ?? "",
      /approve shop: 0 of 1 .*; Run 1 was interrupted: see kubectl terrarium state imports$/,
    );
    assert.equal(line?.interrupted, story.runs()[0]?.metadata.name);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: true } }));
    story.end("a", "Cancelled", { reason: "PlanExpired" });
    assert.match(story.verdict("a").message, /^Run 1 was interrupted; spec\.suspend is true/);
  });

  it("the plan waits however long nobody answers", () => {
    const story = cutOff();
    story.hold("a");
    story.pass(12 * HOUR_MS);
    story.round();
    assert.equal(story.started.length, 2);
    assert.equal(story.verdict("a").state, "AwaitingApproval");
  });

  for (const [what, result] of [
    ["a plan has found nothing left to do", "Unchanged"],
    ["somebody has agreed, and it was applied", "Applied"],
  ] as const) {
    it(`the ordinary rules are back once ${what}`, () => {
      const story = cutOff();
      if (result === "Applied") story.hold("a");
      story.end("a", result);
      story.round();
      assert.equal(story.verdict("a").state, "Ready");
      edit(story, 1);
      story.round();
      assert.equal(asks(story), undefined);
    });
  }

  it("an edit makes another plan, which is for a person, too", () => {
    const story = cutOff();
    story.hold("a");
    edit(story, 1);
    story.round();
    assert.deepEqual(story.superseded, ["changed: variable x"]);
    story.round();
    assert.deepEqual(story.started.slice(2), ["Apply a #3"]);
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("a plan that fails is tried again, for a person, whatever had been requested before", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.annotate({ [ANNOTATIONS.requestedAt]: "before" });
    story.round();
    story.end("a", "Interrupted");
    story.round();
    story.end("a", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    assert.equal(story.verdict("a").state, "Failed");
    story.pass(HOUR_MS);
    story.round();
    assert.equal(open(story).spec.cause.type, "Recovery");
    assert.equal(open(story).spec.attempt, 1);
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("a plan that has expired is made anew, for a person", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Cancelled", { reason: "PlanExpired" });
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("a no holds until something changes, and then a person is asked again", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Cancelled", { reason: "Rejected", message: "ann rejected the plan" });
    story.pass(HOUR_MS);
    story.round();
    assert.equal(story.verdict("a").state, "Stalled");
    assert.equal(story.started.length, 2);
    edit(story, 1);
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("whoever asks to go on gets a fresh plan under the ordinary rules", () => {
    const story = cutOff();
    story.hold("a");
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    assert.match(story.superseded[0] ?? "", /a fresh plan was asked for/);
    story.round();
    assert.deepEqual(story.started.slice(2), ["Apply a #3"]);
    assert.equal(open(story).spec.cause.type, "Requested");
    assert.equal(asks(story), undefined);
    story.end("a", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    story.pass(HOUR_MS);
    story.round();
    assert.equal(asks(story), undefined, "the next try of that is what was asked for, too");
  });

  it("what was asked for while the apply was under way is no word about its interruption", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.annotate({ [ANNOTATIONS.requestedAt]: "meanwhile" });
    story.end("a", "Interrupted");
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
    story.hold("a");
    assert.equal(story.verdict("a").state, "AwaitingApproval");
  });

  it("after a no, whoever asks for another plan sees that, too", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Cancelled", { reason: "Rejected", message: "ann rejected the plan" });
    story.annotate({ [ANNOTATIONS.requestedAt]: "another" });
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
    story.hold("a");
    assert.equal(story.verdict("a").state, "AwaitingApproval", "and that waits");
  });

  for (const [what, happens] of [
    ["time passes", () => {}],
    [
      "its next plan has expired",
      (story: Story) => {
        story.round();
        story.hold("a");
        story.end("a", "Cancelled", { reason: "PlanExpired" });
      },
    ],
    ["something else is edited", (story: Story) => edit(story, 1)],
    [
      "a person has pushed a state",
      (story: Story) => {
        const written = { how: "Push", by: "ann", at: new Date(story.now()).toISOString(), serial: 2 } as const;
        const record = story.records.get("a");
        assert.ok(record);
        story.records.set("a", { ...record, written });
      },
    ],
  ] as const) {
    it(`a recovery that fails half way is followed by another plan for a person, also when ${what}`, () => {
      const story = cutOff();
      story.hold("a");
      story.end("a", "Failed", { reason: "ApplyFailed", retry: "Backoff" });
      story.pass(HOUR_MS);
      happens(story);
      story.round();
      assert.match(open(story).spec.cause.detail ?? "", /^Run 1 was interrupted/);
      assert.deepEqual(asks(story), FOR_ONE);
      story.hold("a");
      assert.equal(story.verdict("a").state, "AwaitingApproval", "and that waits");
    });
  }

  it("a recovery that is cut off waits for a person again", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Interrupted");
    story.round();
    assert.match(open(story).spec.cause.detail ?? "", /^Run 2 was interrupted/);
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("the value of the request that was applied last is no new word", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.annotate({ [ANNOTATIONS.requestedAt]: "first" });
    story.settle();
    story.annotate({ [ANNOTATIONS.requestedAt]: "second" });
    story.round();
    story.end("a", "Interrupted");
    story.annotate({ [ANNOTATIONS.requestedAt]: "first" });
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("the Run tells of it where the record is behind, or was written by an earlier version", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.end("a", "Interrupted");
    const { cutOff: _unknown, ...record } = story.records.get("a") ?? assert.fail();
    story.records.set("a", record);
    for (let plans = 0; plans < 2; plans += 1) {
      story.round();
      assert.deepEqual(asks(story), FOR_ONE);
      story.hold("a");
      assert.equal(story.verdict("a").state, "AwaitingApproval");
      story.end("a", "Cancelled", { reason: "PlanExpired" });
    }
  });
});
