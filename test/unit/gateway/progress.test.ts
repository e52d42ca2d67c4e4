import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { UNSAVED_STATE_STEP } from "../../../operator/api/run-status.ts";
import type { Gateway } from "../../../operator/gateway/gateway.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { type MemoryStore, memoryStore } from "../../fakes/memory-store.ts";
import { type GatewayWorld, gatewayWorld } from "./gateway-world.ts";

const PROGRESS_MS = 1_000;

describe("The progress that two replicas write", () => {
  let store: MemoryStore;
  let world: GatewayWorld;
  let laterMs = 0;

  beforeEach(async () => {
    laterMs = 0;
    store = memoryStore();
    world = await gatewayWorld({
      store,
      limits: { progressMs: PROGRESS_MS },
      clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + laterMs },
    });
  });
  afterEach(() => world.close());

  async function aWorker() {
    const run = world.aRun("network", 1);
    const { json } = await world.claim(world.aPod(run), run);
    const tell = async (to: Gateway, step: string) =>
      (await world.call(to, "POST", "/v1/progress", String(json.session), { step })).status;
    const written = async () => (await world.runStatus(run))?.progress?.step;
    return { tell, written };
  }

  it("is not taken for written by the one that knows nothing of what the other has heard meanwhile", async () => {
    const { gateway, replica } = world;
    const { tell, written } = await aWorker();
    assert.equal(await tell(gateway, "apply"), 204);
    assert.equal(await tell(replica, UNSAVED_STATE_STEP), 204);
    assert.equal(await tell(gateway, "apply"), 202);
    assert.equal(await written(), UNSAVED_STATE_STEP);
    laterMs = 5_000;
    assert.equal(await tell(gateway, "apply"), 204);
    assert.equal(await written(), "apply");
  });

  it("is always written where a state is only in the pod", async () => {
    const { gateway, replica } = world;
    const { tell, written } = await aWorker();
    await tell(gateway, UNSAVED_STATE_STEP);
    await tell(replica, "apply");
    assert.equal(await tell(gateway, UNSAVED_STATE_STEP), 204);
    assert.equal(await written(), UNSAVED_STATE_STEP);
  });

  it("is not written any more when the agent may have told something newer", async () => {
    const { gateway, replica } = world;
    const { tell, written } = await aWorker();
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    store.faults.before = async () => {
      store.faults = {};
      resolve();
      await delay(2 * PROGRESS_MS);
    };
    const late = tell(gateway, "apply");
    await begun;
    assert.equal(await tell(replica, UNSAVED_STATE_STEP), 204);
    assert.equal(await late, 503);
    assert.equal(await written(), UNSAVED_STATE_STEP);
  });
});
