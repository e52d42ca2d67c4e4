import assert from "node:assert/strict";
import { UNSAVED_STATE_STEP } from "../../../operator/api/run-status.ts";
import type { Gateway } from "../../../operator/gateway/gateway.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { type GatewayWorld, gatewayWorld } from "./gateway-world.ts";

describe("The progress that two replicas write", () => {
  let world: GatewayWorld;
  let laterMs = 0;

  beforeEach(async () => {
    laterMs = 0;
    world = await gatewayWorld({
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
});
