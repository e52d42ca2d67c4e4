import assert from "node:assert/strict";
import { appendJournal, readJournal } from "../../../operator/storage/journal.ts";
import { journalsOf } from "../../../operator/storage/record-of-applies.ts";
import { AT, aPod } from "./claimants.ts";
import { aRecordsStory } from "./records-story.ts";

const unseen = {
  type: "unseen",
  why: `Run ${aPod(1).run} was interrupted, and nobody has said how to go on`,
};

describe("The record of an apply that was cut off", () => {
  it("names the Run, what it was for, and what had been requested by then", async () => {
    const story = await aRecordsStory();
    await story.asks(1, { request: "before" });
    await story.dies(1, "Apply", "meanwhile");
    const { cutOff } = await story.record();
    const { run } = aPod(1);
    assert.deepEqual(cutOff, {
      run,
      number: 1,
      desiredDigest: "sha256:v1",
      at: AT.toISOString(),
      request: "meanwhile",
    });
  });

  it("is made where the runner itself says so, and knows what was requested until its death is proven", async () => {
    const story = await aRecordsStory();
    await story.asks(1);
    await story.ends(1, "Interrupted");
    assert.equal((await story.record()).cutOff?.run, aPod(1).run);
    await story.dies(1, "Apply", "later");
    assert.equal((await story.record()).cutOff?.request, "later");
  });

  it("keeps the journal of each, whatever is applied after it, until one has ended well", async () => {
    const story = await aRecordsStory();
    const journalled = async (number: number, end: () => Promise<unknown>) => {
      await story.asks(number, { request: `request ${number}` });
      const entry = { at: AT.toISOString(), event: "apply_start", address: `a.r${number}`, action: "create" } as const;
      await appendJournal(story.store, aPod(number), 0, [entry]);
      await end();
    };
    await journalled(1, () => story.dies(1));
    await journalled(2, () => story.dies(2));
    await journalled(3, () => story.ends(3, "Failed"));
    const record = await story.record();
    const kept = journalsOf(record).map((journal) => readJournal(story.store, record, journal));
    const addresses = (await Promise.all(kept)).map((entries) => entries.map(({ address }) => address));
    assert.deepEqual(addresses, [["a.r3"], ["a.r2"], ["a.r1"]]);
    await journalled(4, () => story.ends(4, "Applied"));
    assert.deepEqual(
      journalsOf(await story.record()).map(({ run }) => run),
      [aPod(4).run],
    );
    assert.equal(story.store.blobIds().length, 1);
  });

  it("is not made of a Run that had not begun, of one that has told its end, and of a destroy", async () => {
    const story = await aRecordsStory();
    await story.dies(1);
    await story.asks(2);
    await story.ends(2, "Failed");
    await story.dies(2);
    await story.asks(3, { operation: "Destroy" });
    await story.dies(3, "Destroy");
    assert.equal((await story.record()).cutOff, undefined);
  });

  it("refuses a plan that nobody has looked at, unless a person has asked for it since", async () => {
    const story = await aRecordsStory();
    await story.asks(1, { request: "before" });
    await story.dies(1);
    assert.deepEqual(await story.asks(2, { request: "before" }), unseen);
    await story.dies(2);
    assert.equal((await story.asks(3, { request: "after" })).type, "granted");
  });

  it("refuses also what was asked for once somebody has rejected a plan that waited", async () => {
    const story = await aRecordsStory();
    await story.asks(1);
    await story.dies(1);
    await story.isRejected(2);
    assert.deepEqual(await story.asks(3, { request: "after" }), unseen);
    await story.dies(3);
    assert.equal((await story.asks(4, { phase: "Apply" })).type, "granted");
  });

  it("lets a plan that waited be applied, and stays until one has ended well", async () => {
    const story = await aRecordsStory();
    await story.asks(1);
    await story.dies(1);
    assert.equal((await story.asks(2, { phase: "Apply" })).type, "granted");
    await story.ends(2, "Failed");
    assert.equal((await story.record()).cutOff?.number, 1);
    assert.equal((await story.asks(3, { phase: "Apply" })).type, "granted");
    await story.ends(3, "Applied");
    assert.equal((await story.record()).cutOff, undefined);
  });

  it("stays when a plan finds nothing to do for another declaration, and goes when it does for the same", async () => {
    const story = await aRecordsStory();
    await story.asks(1, { what: "v2" });
    await story.dies(1);
    for (const [number, what, left] of [
      [2, "v1", 1],
      [3, "v2", undefined],
    ] as const) {
      await story.asks(number, { what });
      await story.ends(number, "Unchanged", what);
      assert.equal((await story.record()).cutOff?.number, left);
    }
  });

  it("keeps its component from being destroyed for the night until an apply has ended well, whatever was asked for", async () => {
    const story = await aRecordsStory();
    const sleeps = { operation: "Destroy", what: "v1", request: "after", ofItself: true } as const;
    await story.asks(1, { what: "v2" });
    await story.dies(1);
    assert.deepEqual(await story.asks(2, sleeps), unseen);
    await story.ends(2, "Failed");
    await story.asks(3, { what: "v1" });
    await story.ends(3, "Unchanged", "v1");
    assert.deepEqual(await story.asks(4, sleeps), unseen);
    await story.ends(4, "Failed");
    await story.asks(5, { what: "v1", phase: "Apply" });
    await story.ends(5, "Applied", "v1");
    assert.equal((await story.asks(6, sleeps)).type, "granted");
  });

  it("names those that were cut off before, too, and loses each when it is made good", async () => {
    const story = await aRecordsStory();
    const known = async () => {
      const { cutOff } = await story.record();
      return [cutOff, ...(cutOff?.before ?? [])].map((apply) => apply?.number);
    };
    await story.asks(1, { what: "v1" });
    await story.dies(1);
    await story.asks(2, { what: "v2", request: "after" });
    await story.ends(2, "Interrupted");
    await story.dies(2, "Apply", "later");
    assert.deepEqual(await known(), [2, 1]);
    await story.asks(3, { what: "v2", request: "once more" });
    await story.ends(3, "Unchanged", "v2");
    assert.deepEqual(await known(), [1], "what is declared now is there; what was declared then may be, too");
    assert.equal((await story.record()).cutOff?.request, "later");
    await story.asks(4, { what: "v3", phase: "Apply" });
    await story.ends(4, "Applied", "v3");
    assert.equal((await story.record()).cutOff, undefined);
  });

  it("names twenty at most", async () => {
    const story = await aRecordsStory();
    for (let number = 1; number <= 22; number += 1) {
      await story.asks(number, { request: `${number}` });
      await story.dies(number, "Apply", `${number}`);
    }
    const { number, before = [] } = (await story.record()).cutOff ?? {};
    assert.deepEqual([number, before.length, before.at(-1)?.number], [22, 19, 3]);
  });
});
