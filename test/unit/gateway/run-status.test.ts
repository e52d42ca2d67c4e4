import assert from "node:assert/strict";
import { ApiError } from "../../../operator/cluster/errors.ts";
import { RUNS } from "../../../operator/cluster/resources.ts";
import { type GatewayWorld, gatewayWorld } from "./gateway-world.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const PLAN = {
  digest: DIGEST,
  counts: { create: 1, update: 0, replace: 0, delete: 0 },
  empty: false,
  resources: [],
  truncated: false,
  drifted: 0,
  inputsDigest: "hmac of the inputs",
};

describe("The plan in a Run's status", () => {
  let world: GatewayWorld;
  beforeEach(async () => {
    world = await gatewayWorld();
  });
  afterEach(() => world.close());

  async function aWorker() {
    const run = world.aRun("network", 1);
    const claimed = await world.claim(world.aPod(run), run);
    const ask = (method: string, path: string, body: Buffer | object) =>
      world.call(world.gateway, method, path, String(claimed.json.session), body);
    await ask("PUT", "/v1/archive", Buffer.from("the archive"));
    const plan = () => ask("POST", "/v1/plan", PLAN);
    return { run, ask, plan };
  }

  /** Others are quicker, so many times. */
  function conflicts(times: number, meanwhile: () => void = () => {}): void {
    let left = times;
    world.client.faults.before = (verb, resource, name) => {
      if (verb !== "patch" || resource !== RUNS.plural || left === 0) return;
      left -= 1;
      meanwhile();
      throw new ApiError({ request: `patch ${name}`, status: 409, reason: "Conflict", message: "try again" });
    };
  }

  it("is written although others write there at the same time", async () => {
    const { run, plan } = await aWorker();
    conflicts(2);
    assert.equal((await plan()).status, 200);
    assert.equal((await world.runStatus(run))?.plan?.digest, DIGEST);
  });

  it("is followed by progress that is news until it is there, also when it comes again at once", async () => {
    const { run, ask } = await aWorker();
    const progress = () => ask("POST", "/v1/progress", { step: "save state" });
    conflicts(Number.POSITIVE_INFINITY);
    assert.equal((await progress()).status, 503);
    conflicts(0);
    assert.equal((await progress()).status, 204);
    assert.equal((await world.runStatus(run))?.progress?.step, "save state");
  });

  it("is asked for once more where they never let it through", async () => {
    const { run, plan } = await aWorker();
    conflicts(Number.POSITIVE_INFINITY);
    assert.equal((await plan()).status, 503);
    conflicts(0);
    assert.equal((await plan()).status, 200);
    assert.equal((await world.runStatus(run))?.plan?.digest, DIGEST);
  });

  it("is not written into another Run that took its name", async () => {
    const { run, plan } = await aWorker();
    conflicts(1, () => void world.client.seed(RUNS, { ...run, metadata: { ...run.metadata, uid: "another" } }));
    assert.equal((await plan()).status, 200);
    assert.equal((await world.runStatus(run))?.plan, undefined);
  });
});
