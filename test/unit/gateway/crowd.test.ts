import assert from "node:assert/strict";
import { aState } from "../storage/claimants.ts";
import { gatewayWorld, untilApplying } from "./gateway-world.ts";

const AGENTS = 256;

describe("256 agents at once", function () {
  this.timeout(60_000);

  it("each claim, plan, lock, write and unlock at two replicas, and none is refused or lost", async () => {
    const world = await gatewayWorld();
    try {
      const work = async (at: number): Promise<number> => {
        const run = world.aRun(`c${at}`, 1);
        const { json } = await world.claim(world.aPod(run), run, at % 2 === 0 ? world.gateway : world.replica);
        const ask = async (method: string, path: string, body?: Buffer | object) => {
          const gateway = at % 2 === 0 ? world.replica : world.gateway;
          const reply = await world.call(gateway, method, path, String(json.session), body);
          assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${reply.bytes}`);
        };
        await untilApplying(ask);
        await ask("PUT", "/v1/state/lock", { ID: `lock-${at}` });
        for (const serial of [1, 2])
          await ask("POST", `/v1/state?ID=lock-${at}`, aState({ serial, resources: ["vpc"] }));
        await ask("DELETE", `/v1/state/lock?ID=lock-${at}`);
        const key = { namespace: run.metadata.namespace, environment: "shop", component: `c${at}` };
        return (await world.store.record(key))?.value.state?.serial ?? 0;
      };
      const serials = await Promise.all(Array.from({ length: AGENTS }, (_, at) => work(at)));
      assert.deepEqual(new Set(serials), new Set([2]));
    } finally {
      await world.close();
    }
  });
});
