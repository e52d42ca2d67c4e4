/** A record that could not be read, or a state that a Run found damaged: what of it is a loss, and what may be whole. */
import assert from "node:assert/strict";
import type { ComponentStatus } from "../../../operator/api/environment-status.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { T0 } from "../../fakes/objects.ts";
import { anAppliedStory, aVersion } from "./lost-story.ts";

describe("A lost state that was told of", () => {
  it("is not let go where its key was missing, and its record went then", () => {
    const story = anAppliedStory(() => undefined);
    const line = { name: "a", state: "Stalled", reason: "KeyMissing", message: "no key" };
    story.edit((environment) => ({
      ...environment,
      status: { observedGeneration: 1, components: [line as ComponentStatus] },
    }));
    story.delete();
    for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
    assert.equal(story.round().type, "dismantle");
    assert.equal(story.verdict("a").reason, "StateLost");
  });

  it("is not what a Run has failed with, which found a state that is damaged: the next may find it whole", () => {
    const story = anAppliedStory((record) => record);
    const line = { name: "a", state: "Failed", reason: "StateLost", message: "chunk 0 of 1 is missing" };
    story.edit((environment) => ({
      ...environment,
      status: { observedGeneration: 1, components: [line as ComponentStatus] },
    }));
    story.delete();
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
  });

  it("is none where its record could not be read, and can be again", () => {
    const story = anAppliedStory((record) => record);
    const line = { name: "a", state: "Stalled", reason: "RecordUnreadable", message: "a chunk is missing" };
    story.edit((environment) => ({
      ...environment,
      status: { observedGeneration: 1, components: [line as ComponentStatus] },
    }));
    story.delete();
    for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
  });

  /** Its record could not be read when the whole was deleted, which takes the Runs; another is there by now. */
  const readableAgain = (happens: (record: ComponentRecord) => ComponentRecord) => {
    const story = anAppliedStory((record) => record);
    const line = { name: "a", state: "Stalled", reason: "KeyMissing", message: "no key" };
    const appliedAt = story.records.get("a")?.applied?.at ?? assert.fail();
    story.edit((environment) => ({
      ...environment,
      status: { observedGeneration: 1, components: [{ ...line, appliedAt } as ComponentStatus] },
    }));
    story.delete();
    for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
    story.records.set("a", happens(story.records.get("a") ?? assert.fail()));
    return story;
  };
  const EARLIER = new Date(T0 - 60_000).toISOString();
  const olderBackup = ({ applied, ...record }: ComponentRecord) =>
    ({ ...record, applied: { ...applied, at: EARLIER }, state: aVersion(3) }) as ComponentRecord;

  it("is that of a record that could not be read, where an older one is in its place, until a person writes a state", () => {
    const story = readableAgain(olderBackup);
    for (let rounds = 0; rounds < 3; rounds += 1) {
      story.round();
      story.report();
    }
    assert.deepEqual([story.verdict("a").reason, story.started.length], ["StateLost", 1]);
    assert.match(story.verdict("a").message, /^restore or push a state.* an older one is in its place$/);
    const written = { by: "ada", at: new Date(story.now()).toISOString(), serial: 8 } as never;
    story.records.set("a", { ...(story.records.get("a") ?? assert.fail()), written });
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
  });

  it("is none where all was destroyed while its record could not be read", () => {
    const story = readableAgain(({ applied: _gone, state: _state, ...record }) => ({
      ...record,
      mayHoldObjects: false,
      lastResult: {
        runUid: "destroyer",
        podUid: "p",
        at: new Date(T0 + 1_000).toISOString(),
        outcome: { result: "Destroyed", reason: "Destroyed", message: "" },
      },
    }));
    story.settle();
    story.report();
    story.settle();
    assert.deepEqual([story.decision().type, story.started.length], ["letGo", 1]);
  });
});
