import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { act } from "../../../operator/environment/act.ts";
import type { EnvironmentPorts } from "../../../operator/environment/ports.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const signal = new AbortController().signal;
const CANCELLED = { reason: "Cancelled", message: "cancelled by a person before anything was applied" };

function aCancelledStory() {
  const story = aStory(anEnvironment([aComponent("a"), aComponent("b", { needs: ["a"] })]));
  story.round();
  story.end("a", "Cancelled", CANCELLED);
  return story;
}

describe("After a Run was cancelled by a person", () => {
  it("nothing is repeated by itself, however long one waits; what depends on it waits, too", () => {
    const story = aCancelledStory();
    story.pass(24 * 3_600_000);
    story.round();
    assert.deepEqual(story.started, ["Apply a #1"]);
    const { state, reason, message, wakeAtMs } = story.verdict("a");
    assert.deepEqual([state, reason, wakeAtMs], ["Stalled", "Cancelled", undefined]);
    assert.match(message, /^set terrarium\.dev\/requestedAt/);
    assert.equal(story.verdict("b").state, "Blocked");
  });

  it("a change starts the next one, and so does a request", () => {
    const changed = aCancelledStory();
    changed.edit((environment) => ({ ...environment, spec: { ...environment.spec, retry: { limit: 3 } } }));
    changed.round();
    assert.deepEqual(changed.started, ["Apply a #1", "Apply a #2"]);
    const requested = aCancelledStory();
    requested.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    requested.round();
    assert.deepEqual(requested.started, ["Apply a #1", "Apply a #2"]);
  });

  it("a request that was cancelled is answered: what was applied stays Ready", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    story.end("a", "Cancelled", CANCELLED);
    story.round();
    assert.equal(story.verdict("a").state, "Ready");
    assert.equal(story.started.length, 2);
  });

  it("a request that was cancelled stays answered when a later Run fails, of what was taken back", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    const before = story.environment().spec;
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    story.end("a", "Cancelled", CANCELLED);
    story.edit((environment) => ({ ...environment, spec: { ...before, variables: [{ name: "size", value: 2 }] } }));
    story.round();
    story.end("a", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    story.edit((environment) => ({ ...environment, spec: before }));
    story.round();
    assert.equal(story.verdict("a").state, "Ready");
    assert.deepEqual(story.started, ["Apply a #1", "Apply a #2", "Apply a #3"]);
  });

  it("a deletion that was cancelled waits for a person, and goes on when asked to", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.delete();
    story.round();
    story.end("a", "Cancelled", CANCELLED);
    story.pass(24 * 3_600_000);
    story.round();
    assert.equal(story.verdict("a").reason, "Cancelled");
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2", "Destroy a #3"]);
  });

  it("one that ended because it had become pointless is not held back", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.end("a", "Cancelled", { reason: "Destroying" });
    story.round();
    assert.equal(story.started.length, 2);
  });
});

describe("The wish to cancel", () => {
  async function withdrawn(annotation: string, how: "open" | "cancelled" | "applied", spec = {}) {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    const [run] = story.runs();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } }));
    if (how === "cancelled") story.end("a", "Cancelled", CANCELLED);
    if (how === "applied") story.end("a", "Applied");
    story.annotate({ [ANNOTATIONS.cancel]: annotation === "it" ? (run?.metadata.name ?? "") : annotation });
    const done: string[] = [];
    const ports = {
      now: () => new Date(0),
      runsOf: () => story.runs(),
      async withdrawCancel(_environment, name) {
        done.push(name === run?.metadata.name ? "it" : name);
      },
      event: (_environment, _type, reason, message) =>
        void done.push(`${reason}: ${message.split(" ").slice(2).join(" ")}`),
      async createRun() {},
    } satisfies Partial<EnvironmentPorts>;
    await act(story.environment(), story.decision(), ports as unknown as EnvironmentPorts, signal);
    return done;
  }

  it("stays while its Run is open, and is taken off once that has ended", async () => {
    assert.deepEqual(await withdrawn("it", "open"), []);
    assert.deepEqual(await withdrawn("it", "cancelled"), ["it"]);
    const renamed = { components: [aComponent("b", { formerName: "a" })] };
    assert.deepEqual(await withdrawn("it", "open", renamed), [], "it is that of the former name");
  });

  it("that came too late, or names no Run, is taken off and said to have done nothing", async () => {
    assert.deepEqual(await withdrawn("it", "applied"), ["it", "NotCancelled: had ended"]);
    assert.deepEqual(await withdrawn("nonsense", "open"), ["nonsense", "NotCancelled: does not exist"]);
  });
});
