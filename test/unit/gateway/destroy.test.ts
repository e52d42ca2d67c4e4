import assert from "node:assert/strict";
import { aState } from "../storage/claimants.ts";
import { type ApplyingWorld, aPlan, applyingWorld, outcomeOf, VPC } from "./applying-world.ts";
import { codeOf, keyOf } from "./gateway-world.ts";

let world: ApplyingWorld;
const begin = async () => {
  world = await applyingWorld();
};
const end = () => world.close();

describe("a destroy", () => {
  beforeEach(begin);
  afterEach(end);

  it("works from the archive of the newest attempt, and ends only when the state is empty", async () => {
    await world.applyAll(world.aRun("network", 1), aState(VPC));
    const run = world.aRun("network", 2, { operation: "Destroy" });
    const { order, ask } = await world.aWorker(run);
    assert.equal((order.source as { archive: { size: number } }).archive.size, "archive of shop-network-1".length);
    assert.equal((await ask("GET", "/v1/archive")).bytes.toString(), "archive of shop-network-1");
    await ask("POST", "/v1/plan", aPlan("sha256:destroy"));
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    assert.equal(codeOf(await ask("POST", "/v1/result", outcomeOf("Destroyed"))), "400 BadRequest");
    await ask("POST", "/v1/state?ID=lock", aState({ serial: 2 }));
    await ask("DELETE", "/v1/state/lock?ID=lock");
    assert.equal((await ask("POST", "/v1/result", outcomeOf("Destroyed"))).status, 204);
    const { applied, attempted, mayHoldObjects } = await world.recordOf(run);
    assert.deepEqual([applied, attempted, mayHoldObjects], [undefined, undefined, false]);
  });
});

describe("a state whose content was lost", () => {
  beforeEach(begin);
  afterEach(end);

  /** Somebody with all rights has taken the chunks away. */
  async function withoutContent(operation: "Apply" | "Destroy" = "Destroy") {
    await world.applyAll(world.aRun("network", 1), aState(VPC));
    const run = world.aRun("network", 2, { operation });
    const worker = await world.aWorker(run);
    const { state } = await world.recordOf(run);
    assert.ok(state);
    await world.store.deleteBlob({ storageId: "" }, state.blob);
    return { run, ...worker };
  }

  it("is refused to whoever works on it, as lost", async () => {
    const { ask } = await withoutContent();
    assert.equal(codeOf(await ask("GET", "/v1/state")), "409 StoreCorrupt");
  });

  it("ends a destroy as StateLost, whatever its pod says, and leaves what is known", async () => {
    const { run, ask } = await withoutContent();
    await ask("POST", "/v1/plan", aPlan("sha256:destroy"));
    assert.equal((await ask("POST", "/v1/result", outcomeOf("Destroyed"))).status, 204);
    const { applied, mayHoldObjects, state, lastResult } = await world.recordOf(run);
    assert.deepEqual(
      [lastResult?.outcome.result, lastResult?.outcome.reason, lastResult?.outcome.retry],
      ["Failed", "StateLost", "Never"],
    );
    assert.deepEqual([applied?.number, mayHoldObjects, state?.serial], [1, true, 1]);
  });

  it("does not make one forget that the apply was cut off: once it is restored, a person sees what is done next", async () => {
    const { run, ask } = await withoutContent("Apply");
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", aPlan("sha256:plan"));
    await ask("POST", "/v1/result", outcomeOf("Interrupted"));
    const { cutOff, lastResult } = await world.recordOf(run);
    assert.deepEqual([lastResult?.outcome.result, lastResult?.outcome.reason], ["Interrupted", "StateLost"]);
    assert.equal(cutOff?.run, run.metadata.name);
  });
});

describe("a destroy whose record was lost", () => {
  beforeEach(begin);
  afterEach(end);

  it("is refused, and no empty record takes its place", async () => {
    const run = world.aRun("network", 2, { operation: "Destroy" });
    assert.equal(codeOf(await world.claim(world.aPod(run), run)), "404 NotFound");
    assert.equal(await world.store.record(keyOf(run)), undefined);
  });
});
