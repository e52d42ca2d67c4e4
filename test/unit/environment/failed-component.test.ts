import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

describe("A failed component", () => {
  const failing = () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { retry: { limit: 2 } } }));
    story.round();
    story.end("a", "Failed", { retry: "Backoff", message: "no such image" });
    return story;
  };

  it("waits about ten seconds before the second try, and twice as long before the third", () => {
    const story = failing();
    story.pass(8_000);
    story.round();
    assert.equal(story.started.length, 1);
    story.pass(4_000);
    story.round();
    assert.equal(story.started.length, 2);
    story.end("a", "Failed", { retry: "Backoff" });
    story.pass(17_000);
    story.round();
    assert.equal(story.started.length, 2);
    story.pass(6_000);
    story.round();
    assert.equal(story.started.length, 3);
  });

  it("stops at the limit until something changes", () => {
    const story = failing();
    for (let tries = 0; tries < 5; tries += 1) {
      story.pass(3_600_000);
      story.round();
      if (story.openRuns().length > 0) story.end("a", "Failed", { retry: "Backoff" });
    }
    assert.equal(story.started.length, 3);
    assert.equal(story.verdict("a").reason, "RetriesExhausted");
    story.edit((environment) => environment);
    story.round();
    assert.equal(story.started.length, 4, "an edited spec starts afresh");
  });

  it("is not tried again by itself where that cannot help", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.end("a", "Failed", { retry: "Never", reason: "BackendChoiceNeeded" });
    story.pass(3_600_000);
    story.round();
    assert.equal(story.started.length, 1);
    assert.equal(story.verdict("a").reason, "BackendChoiceNeeded");
  });

  it("goes on at once when a person asks for it", () => {
    const story = failing();
    story.annotate({ [ANNOTATIONS.requestedAt]: "2026-01-01" });
    story.round();
    assert.equal(story.started.length, 2);
    story.end("a", "Applied");
    story.round();
    assert.equal(story.started.length, 2, "one request is answered once");
  });

  it("looks for a missing input without using up its tries, at most two minutes apart", () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { retry: { limit: 1 } } }));
    story.round();
    for (let tries = 0; tries < 12; tries += 1) {
      story.end("a", "Waiting", { reason: "InputMissing", message: "Secret x is missing" });
      assert.equal(story.verdict("a").reason, "InputMissing");
      story.pass(120_000);
      story.round();
      assert.equal(story.openRuns().length, 1, `try ${tries}`);
    }
    story.end("a", "Failed", { reason: "PlanFailed" });
    assert.equal(story.verdict("a").reason, "PlanFailed", "the first try of the engine");
  });

  describe("whose state a person has pushed through a replica whose clock was ahead", () => {
    const pushed = (approval?: object) => {
      const story = aStory(anEnvironment([aComponent("a")]));
      story.settle();
      const record = story.records.get("a") ?? assert.fail();
      const at = new Date(story.now() + 120_000).toISOString();
      story.records.set("a", { ...record, written: { how: "Push", by: "jane", at, serial: 9, newestRun: 1 } });
      const changed = { variables: [{ name: "size", value: 2 }], ...(approval === undefined ? {} : { approval }) };
      story.edit((environment) => ({
        ...environment,
        spec: { ...environment.spec, ...changed } as typeof environment.spec,
      }));
      story.round();
      return story;
    };

    it("is not planned again and again: the Run that was made afterwards has tried it", () => {
      const story = pushed();
      story.end("a", "Failed", { reason: "PlanFailed", retry: "Never" });
      story.round();
      assert.deepEqual(story.started, ["Apply a #1", "Apply a #2"]);
    });

    it("keeps the plan that was made of it", () => {
      const story = pushed({ required: 1, planExpiresAfter: "24h" });
      story.hold("a");
      assert.equal(story.verdict("a").reason, "AwaitingApproval");
    });
  });

  it("counts what failed, also where an input was missing in between", () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { retry: { limit: 2 } } }));
    const failures = [
      "PlanFailed",
      "InputMissing",
      "InputMissing",
      "ApplyFailed",
      "InputMissing",
      "PlanFailed",
    ] as const;
    for (const reason of failures) {
      story.round();
      story.end("a", reason === "InputMissing" ? "Waiting" : "Failed", { reason, message: "no" });
      story.pass(3_600_000);
    }
    const { reason, message } = story.verdict("a");
    assert.equal(reason, "RetriesExhausted");
    assert.match(message, /failed 3 times/);
  });
});
