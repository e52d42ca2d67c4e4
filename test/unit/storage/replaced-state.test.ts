import assert from "node:assert/strict";
import { pushState, restoreState } from "../../../operator/storage/by-hand.ts";
import { checked } from "../../../operator/storage/checked.ts";
import { ensureRecord, release } from "../../../operator/storage/ownership.ts";
import { type ComponentRecord, replacingWrite, sideOfWriting } from "../../../operator/storage/record.ts";
import { rename } from "../../../operator/storage/rename.ts";
import { AT, aPod, aState, ENVIRONMENT_UID, NETWORK } from "./claimants.ts";
import { aRecordsStory } from "./records-story.ts";

const jane = { by: "jane", at: AT, force: true, newestRun: 1, begun: false };
const isReplaced = (record: ComponentRecord | undefined): boolean => replacingWrite(record) !== undefined;

/** A component that is applied, with a state of serial 3. */
async function anAppliedStory() {
  const story = await aRecordsStory();
  await pushState(story.store, NETWORK, aState({ serial: 3 }), jane);
  await story.asks(1);
  await story.ends(1, "Applied");
  return story;
}

/** The same, where jane has put another state in since. */
async function aReplacedStory() {
  const story = await anAppliedStory();
  await pushState(story.store, NETWORK, aState({ serial: 5, resources: ["a"] }), jane);
  assert.ok(isReplaced(await story.record()));
  return story;
}

/** The same, where an engine has left a state that the store did not take. */
async function anUnsavedStory() {
  const story = await anAppliedStory();
  const copy = aState({ serial: 4, resources: ["made"] });
  await story.asks(2, { phase: "Apply" });
  await story.ends(2, "Failed");
  const blob = await story.store.putBlob(await story.record(), "recovery", copy);
  await story.change((record) => ({ ...record, recovery: { blob, run: aPod(2).run, at: AT.toISOString() } }));
  return { ...story, copy };
}

describe("The record of a state that a person has put in the place of another", () => {
  it("refuses a plan that nobody has looked at, also one that was asked for: its Run may have been made before", async () => {
    const story = await aReplacedStory();
    const why = "jane pushed the state, and nobody has seen what follows from that";
    assert.deepEqual(await story.asks(2, { request: "now" }), { type: "unseen", why });
    await story.dies(2);
    assert.equal((await story.asks(3, { phase: "Apply" })).type, "granted");
  });

  it("refuses a plan that people have looked at before", async () => {
    const story = await anAppliedStory();
    await story.isHeld(2);
    await pushState(story.store, NETWORK, aState({ serial: 5 }), jane);
    assert.equal((await story.asksAgain(2)).type, "unseen");
    await story.dies(2);
    await story.isHeld(3);
    assert.equal((await story.asksAgain(3)).type, "granted");
  });

  it("refuses a destroy for the night, which nobody asks for at that moment", async () => {
    const story = await aReplacedStory();
    assert.equal((await story.asks(2, { operation: "Destroy", ofItself: true })).type, "unseen");
  });

  it("lets a destroy go on: what was asked for is that all of it goes", async () => {
    const story = await aReplacedStory();
    assert.equal((await story.asks(2, { operation: "Destroy" })).type, "granted");
  });

  for (const result of ["Applied", "Unchanged"] as const) {
    it(`is settled by a plan that ends as ${result}`, async () => {
      const story = await aReplacedStory();
      await story.asks(2, { phase: "Apply" });
      await story.ends(2, result);
      const record = await story.record();
      assert.equal(isReplaced(record), false);
      assert.equal(record.written?.by, "jane", "who wrote it last stays known");
    });
  }

  it("is not settled by an apply that fails, and not by the same state once more", async () => {
    const story = await aReplacedStory();
    await story.asks(2, { phase: "Apply" });
    await story.ends(2, "Failed");
    assert.ok(isReplaced(await story.record()));
    await pushState(story.store, NETWORK, aState({ serial: 5, resources: ["a"] }), jane);
    assert.ok(isReplaced(await story.record()));
  });

  it("is that of a record in the place of one that was lost, too: its Runs tell that something was begun", async () => {
    const { store, record, asks, ends } = await aRecordsStory();
    await pushState(store, NETWORK, aState({ serial: 3 }), { ...jane, begun: true });
    assert.ok(isReplaced(await record()));
    await asks(2, { phase: "Apply" });
    await ends(2, "Failed");
    assert.ok(isReplaced(await record()), "until an apply ends well");
  });

  it("comes after a Run that was made, and was quicker, while the Runs were listed and the state was stored", async () => {
    const story = await aRecordsStory();
    const { store } = story;
    store.faults = {
      async after(call) {
        if (call !== "putBlob") return;
        store.faults = {};
        await story.isHeld(1);
      },
    };
    await pushState(store, NETWORK, aState({ serial: 9 }), { ...jane, newestRun: 0 });
    assert.equal(sideOfWriting(await story.record(), 1), "before", "its plan was made of nothing");
  });

  it("lets no look for drift speak about it: that looked at what was there before", async () => {
    const story = await aReplacedStory();
    const drift = { counts: { create: 0, update: 1, replace: 0, delete: 0 }, addresses: ["x"], digest: "d" };
    assert.equal(checked(await story.record(), aPod(2), { stateSerial: 5, drift }, AT).answer, "outdated");
  });

  it("keeps its number with its owner, who lets it go and takes it back", async () => {
    const story = await aReplacedStory();
    await release(story.store, NETWORK, ENVIRONMENT_UID);
    await ensureRecord(story.store, NETWORK, ENVIRONMENT_UID);
    assert.equal((await story.record()).written?.newestRun, 1);
  });

  it("goes with a rename and to another owner, whose Runs are numbered anew", async () => {
    const story = await aReplacedStory();
    const to = { ...NETWORK, component: "net" };
    await rename(story.store, NETWORK, to, ENVIRONMENT_UID);
    const moved = (await story.store.record(to))?.value;
    assert.deepEqual([isReplaced(moved), moved?.written?.newestRun], [true, 0]);
    await release(story.store, to, ENVIRONMENT_UID);
    await ensureRecord(story.store, to, "another");
    const adopted = (await story.store.record(to))?.value;
    assert.deepEqual([isReplaced(adopted), adopted?.written?.newestRun], [true, 0]);
  });
});

describe("No other state is put in", () => {
  it("by the first state of a component that was never applied", async () => {
    const { store, record } = await aRecordsStory();
    await pushState(store, NETWORK, aState({ serial: 3 }), jane);
    assert.equal(isReplaced(await record()), false);
  });

  it("by a second push before any engine was at work: both are a person's", async () => {
    const { store, record } = await aRecordsStory();
    await pushState(store, NETWORK, aState({ serial: 3 }), jane);
    await pushState(store, NETWORK, aState({ serial: 4, resources: ["more"] }), jane);
    assert.equal(isReplaced(await record()), false);
  });

  it("by the very same state", async () => {
    const { store, record } = await anAppliedStory();
    await pushState(store, NETWORK, aState({ serial: 3 }), jane);
    assert.equal(isReplaced(await record()), false);
  });

  it("by the recovery copy, restored or pushed: that is what the last engine left", async () => {
    const one = await anUnsavedStory();
    await restoreState(one.store, NETWORK, { recovery: true }, jane);
    const other = await anUnsavedStory();
    await pushState(other.store, NETWORK, other.copy, jane);
    for (const { record } of [one, other]) assert.equal(isReplaced(await record()), false);
  });
});

describe("Another state is put in", () => {
  it("by the one that is stored, where an engine has left a newer one", async () => {
    const { store, record } = await anUnsavedStory();
    await pushState(store, NETWORK, aState({ serial: 3 }), jane);
    assert.ok(isReplaced(await record()));
  });

  it("by the first one where an apply had begun", async () => {
    const { store, record, asks, ends } = await aRecordsStory();
    await asks(1);
    await ends(1, "Failed");
    await pushState(store, NETWORK, aState({ serial: 3 }), jane);
    assert.ok(isReplaced(await record()));
  });
});
