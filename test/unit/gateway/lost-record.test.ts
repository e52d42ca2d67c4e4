import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { RUNS } from "../../../operator/cluster/resources.ts";
import { ended } from "../../fakes/objects.ts";
import { type GatewayWorld, gatewayWorld, NAMESPACE } from "./gateway-world.ts";

const KEY = { namespace: NAMESPACE, environment: "shop", component: "network" };

describe("A Run whose record was lost before it claims", () => {
  let world: GatewayWorld;
  beforeEach(async () => {
    world = await gatewayWorld();
  });
  afterEach(() => world.close());

  const endsAs = (run: Run, outcome: Parameters<typeof ended>[1]) =>
    void world.client.seed(RUNS, ended(run, outcome) as never);

  it("is refused where another had made something: it would begin with nothing, and make all of it again", async () => {
    endsAs(world.aRun("network", 1), { result: "Unchanged", resources: 2 });
    const run = world.aRun("network", 2);
    const { status, bytes } = await world.claim(world.aPod(run), run);
    assert.equal(status, 404);
    assert.match(bytes.toString(), /no record of team-shop\/shop\/network: restore it/);
    assert.equal(await world.store.record(KEY), undefined);
  });

  it("begins where none had made anything, or all was destroyed since", async () => {
    endsAs(world.aRun("network", 1), { result: "Applied", resources: 2 });
    endsAs(world.aRun("network", 2, { operation: "Destroy" }), { result: "Destroyed", resources: 0 });
    endsAs(world.aRun("network", 3), { result: "Failed", reason: "PlanFailed" });
    endsAs(world.aRun("other", 1), { result: "Applied", resources: 2 });
    const run = world.aRun("network", 4);
    assert.equal((await world.claim(world.aPod(run), run)).status, 200);
  });
});
