import assert from "node:assert/strict";
import { pushState, restoreState } from "../../../operator/storage/by-hand.ts";
import { isOfAnotherState } from "../../../operator/storage/record.ts";
import { AT, aState, NETWORK } from "./claimants.ts";
import { aRecordsStory } from "./records-story.ts";

const jane = { by: "jane", at: AT, force: true };

/** A component that is applied, and whose state jane has replaced since. */
async function aReplacedStory() {
  const story = await aRecordsStory();
  await story.asks(1);
  await story.ends(1, "Applied");
  await pushState(story.store, NETWORK, aState({ serial: 3, resources: ["a"] }), jane);
  assert.equal(isOfAnotherState(await story.record()), true);
  return story;
}

describe("The record of a state that a person has put in the place of what was applied", () => {
  it("refuses a plan that nobody has looked at, also one that was asked for: its Run may have been made before", async () => {
    const story = await aReplacedStory();
    const why = "jane pushed the state, and nobody has seen what follows from that";
    assert.deepEqual(await story.asks(2, { request: "now" }), { type: "unseen", why });
    await story.dies(2);
    assert.equal((await story.asks(3, { phase: "Apply" })).type, "granted");
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
      assert.equal(isOfAnotherState(record), false);
      assert.equal(record.written?.by, "jane", "who wrote it last stays known");
    });
  }

  it("is not settled by an apply that fails, and not by the same state once more", async () => {
    const story = await aReplacedStory();
    await story.asks(2, { phase: "Apply" });
    await story.ends(2, "Failed");
    assert.equal(isOfAnotherState(await story.record()), true);
    await pushState(story.store, NETWORK, aState({ serial: 3, resources: ["a"] }), jane);
    assert.equal(isOfAnotherState(await story.record()), true);
  });

  it("is none where the recovery copy is restored: that is what the last engine left", async () => {
    const story = await aRecordsStory();
    await story.asks(1);
    await story.ends(1, "Applied");
    const blob = await story.store.putBlob(await story.record(), "recovery", aState({ serial: 3 }));
    await story.change((record) => ({ ...record, recovery: { blob, run: "shop-network-1", at: AT.toISOString() } }));
    await restoreState(story.store, NETWORK, { recovery: true }, jane);
    assert.equal(isOfAnotherState(await story.record()), false);
  });
});
