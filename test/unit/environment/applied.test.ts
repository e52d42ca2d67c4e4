import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { declare } from "./declared.ts";
import { aStory } from "./story.ts";

describe("What counts as applied", () => {
  it("is not what was there before an apply that failed half way, even where the spec is taken back", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    const before = story.environment().spec;
    story.edit((environment) => ({ ...environment, spec: { ...before, variables: [{ name: "size", value: 2 }] } }));
    story.round();
    story.end("a", "Failed", { reason: "ApplyFailed", retry: "Backoff" });
    story.edit((environment) => ({ ...environment, spec: before }));
    assert.notEqual(story.verdict("a").state, "Ready");
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Apply a #2", "Apply a #3"]);
    assert.equal(story.verdict("a").state, "Ready");
  });

  it("is not a Run that a person asked for and that failed: it is tried again", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    story.end("a", "Waiting", { reason: "InputMissing", message: "Secret shop is missing" });
    assert.equal(story.verdict("a").reason, "InputMissing");
    story.pass(120_000);
    story.settle();
    assert.equal(story.verdict("a").state, "Ready");
  });

  it("is what a person asked for once: a later Run that failed, of what was taken back, does not ask again", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.annotate({ [ANNOTATIONS.requestedAt]: "once" });
    story.settle();
    declare(story, aComponent("a", { terraform: { path: "other" } }));
    story.round();
    story.end("a", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    declare(story, aComponent("a"));
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Apply a #2", "Apply a #3"]);
    assert.equal(story.verdict("a").state, "Ready");
  });

  it("is not what a destroy had begun to take away before the component was declared again", () => {
    const story = aStory(anEnvironment([aComponent("a"), aComponent("b")]));
    story.settle();
    const before = story.environment().spec;
    story.edit((environment) => ({ ...environment, spec: { ...before, components: [aComponent("b")] } }));
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "a" });
    story.round();
    story.end("a", "Failed", { reason: "DestroyFailed", retry: "Backoff" });
    story.edit((environment) => ({ ...environment, spec: before }));
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Destroy a #2", "Apply a #3"]);
  });

  it("is not what a destroy had begun to take away, even after a try to bring it back that never began", () => {
    const story = aStory(anEnvironment([aComponent("a"), aComponent("b")]));
    story.settle();
    const before = story.environment().spec;
    story.edit((environment) => ({ ...environment, spec: { ...before, components: [aComponent("b")] } }));
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "a" });
    story.round();
    story.end("a", "Interrupted");
    story.edit((environment) => ({ ...environment, spec: before }));
    story.round();
    story.end("a", "Failed", { reason: "RunnerLost", retry: "Backoff" });
    assert.equal(story.verdict("a").state, "Failed");
    story.pass(60_000);
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Destroy a #2", "Apply a #3", "Apply a #4"]);
    assert.equal(story.verdict("a").state, "Ready");
  });

  it("stays what it was where a destroy has ended before it began", () => {
    const story = aStory(anEnvironment([aComponent("a"), aComponent("b")]));
    story.settle();
    declare(story, aComponent("b"));
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "a" });
    story.round();
    story.end("a", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    declare(story, aComponent("a"), aComponent("b"));
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Destroy a #2"]);
    assert.equal(story.verdict("a").state, "Ready");
  });
});
