import assert from "node:assert/strict";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { conditions, destroyed, evening, HOUR_MS, night, nights, scaled } from "./sleep-story.ts";
import { aStory } from "./story.ts";

describe("An environment whose sleep or waking fails", () => {
  it("tries a destroy again as one that nobody has asked for: a state that is put in meanwhile stops it", () => {
    const story = evening();
    story.round();
    story.end("app", "Failed", { reason: "DestroyFailed" });
    story.pass(HOUR_MS / 12);
    story.round();
    const [again] = story.openRuns();
    assert.deepEqual([again?.spec.operation, again?.spec.cause.type, again?.spec.attempt], ["Destroy", "Asleep", 1]);
  });

  it("tries a failed destroy again, and wakes all the same where that never ended well", () => {
    const story = evening({ retry: { limit: 0 } });
    story.round();
    story.end("app", "Failed", { reason: "DestroyFailed", retry: "Backoff" });
    assert.equal(conditions(story)?.[0], "Ready=False RetriesExhausted");
    assert.equal(story.verdict("cache").state, "Blocked");
    story.pass(11 * HOUR_MS);
    story.settle();
    assert.deepEqual(story.started.slice(4), ["Destroy app #2", "Apply app #3"]);
    assert.equal(conditions(story)?.[0], "Ready=True Applied");
  });

  it("tells when it cannot wake, as any failed apply, and sleeps again in the evening", () => {
    const story = night();
    story.pass(11 * HOUR_MS);
    story.round();
    story.end("database", "Applied");
    story.end("cache", "Failed", { reason: "ApplyFailed", retry: "Backoff" });
    assert.equal(conditions(story)?.[0], "Ready=False ApplyFailed");
    assert.equal(story.verdict("app").state, "Blocked");
    story.pass(13 * HOUR_MS);
    story.settle();
    assert.equal(story.started.at(-1), "Destroy cache #4", "what half an apply has made goes, too");
    assert.equal(conditions(story)?.[0], "Ready=True Asleep");
  });

  it("is not Ready where the first plan of the morning fails: nothing of what slept is there", () => {
    const story = night();
    story.pass(11 * HOUR_MS);
    story.round();
    story.end("database", "Applied");
    story.end("cache", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    assert.equal(conditions(story)?.[0], "Ready=False PlanFailed");
    assert.equal(story.verdict("app").state, "Blocked");
  });

  it("has the tries of each morning, also after one on which it used them all up", () => {
    const story = night({ retry: { limit: 1 } });
    const mornings = [1, 2].map(() => {
      story.pass(11 * HOUR_MS);
      const before = story.started.length;
      for (let tries = 0; tries < 4; tries += 1) {
        story.round();
        if (story.openRuns().some(({ spec }) => spec.component === "database")) story.end("database", "Applied");
        if (story.openRuns().some(({ spec }) => spec.component === "cache"))
          story.end("cache", "Failed", { reason: "PlanFailed", message: "the provider is away", retry: "Backoff" });
        story.pass(HOUR_MS / 4);
      }
      assert.equal(story.verdict("cache").reason, "RetriesExhausted");
      story.pass(12 * HOUR_MS);
      story.settle();
      return story.started.slice(before).filter((line) => line.includes("cache")).length;
    });
    assert.deepEqual(mornings, [2, 2]);
  });

  for (const [what, how] of [
    ["be scaled", scaled],
    ["be destroyed", destroyed],
  ] as const)
    it(`has the tries of each evening, too, to ${what}`, () => {
      const story = aStory(anEnvironment([aComponent("database", how)], { spec: { ...nights, retry: { limit: 1 } } }));
      story.pass(8 * HOUR_MS);
      story.settle();
      story.pass(12 * HOUR_MS);
      const evenings = [1, 2].map(() => {
        const before = story.started.length;
        for (let tries = 0; tries < 4; tries += 1) {
          story.round();
          if (story.openRuns().length > 0) story.end("database", "Failed", { reason: "PlanFailed", retry: "Backoff" });
          story.pass(HOUR_MS / 4);
        }
        assert.equal(story.verdict("database").reason, "RetriesExhausted");
        story.pass(12 * HOUR_MS);
        assert.equal(story.verdict("database").state, "Ready", "in the day it is as it was");
        story.pass(11 * HOUR_MS);
        return story.started.length - before;
      });
      assert.deepEqual(evenings, [2, 2]);
    });

  it("does not ask again each morning for what a person has rejected", () => {
    const story = night();
    story.pass(11 * HOUR_MS);
    story.round();
    story.hold("cache");
    story.end("cache", "Cancelled", { reason: "Rejected", message: "jane rejected the plan" });
    story.pass(24 * HOUR_MS);
    assert.equal(story.verdict("cache").reason, "Rejected");
  });

  it("leaves an interrupted apply to a person", () => {
    const story = aStory(anEnvironment([aComponent("a", destroyed)], { spec: nights }));
    story.pass(19 * HOUR_MS);
    story.round();
    story.end("a", "Interrupted");
    story.pass(2 * HOUR_MS);
    story.round();
    assert.deepEqual(story.started, ["Apply a #1", "Apply a #2"]);
    story.hold("a");
    assert.equal(story.verdict("a").state, "AwaitingApproval");
  });
});
