import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { judgePlan } from "../../../operator/approval/judge.ts";
import { APPROVALS } from "../../../operator/cluster/resources.ts";
import type { Judge } from "../../../operator/gateway/verdict.ts";
import { aState } from "../storage/claimants.ts";
import { type GatewayWorld, gatewayWorld, NAMESPACE, type Reply } from "./gateway-world.ts";

const byRules: Judge = (plan, run) => judgePlan(plan, run.spec.rules, run.spec.operation);
const KEY = { namespace: NAMESPACE, environment: "shop", component: "network" };
const DIGEST = `sha256:${"a".repeat(64)}`;
const asksOne = { rules: { approval: { required: 1, expiresAfter: "1h" } } };
const aPlan = (empty = false) => ({
  digest: DIGEST,
  counts: { create: empty ? 0 : 1, update: 0, replace: 0, delete: 0 },
  empty,
  resources: [],
  truncated: false,
  drifted: 0,
  inputsDigest: "i",
});
const outcomeOf = (result: string) => ({ outcome: { result, reason: result, message: "" } });
const codeOf = ({ status, json }: Reply) =>
  `${status} ${(json.error as { code?: string } | undefined)?.code ?? ""}`.trim();

let world: GatewayWorld;
beforeEach(async () => {
  world = await gatewayWorld({ judge: byRules });
});
afterEach(() => world.close());

const recordOf = async () => (await world.store.record(KEY))?.value ?? assert.fail();

/** A pod that has claimed its Run, and holds the lock as an engine does that plans. */
async function aPlanner(run: Run, phase: "Plan" | "Apply" = "Plan") {
  const pod = world.aPod(run, { phase, suffix: phase === "Plan" ? "p" : "a" });
  const claim = () => world.claim(pod, run, world.replica, phase);
  const session = String((await claim()).json.session);
  const ask = (method: string, path: string, body?: Buffer | object) =>
    world.call(world.gateway, method, path, session, body);
  await ask("PUT", "/v1/archive", Buffer.from("archive"));
  await ask("PUT", "/v1/state/lock", { ID: "lock" });
  return {
    ask,
    claim,
    plan: async (empty = false) => (await ask("POST", "/v1/plan", aPlan(empty))).json.verdict,
    /** What the gateway says to a state, and to a recovery copy. */
    store: async (state: Buffer) => [
      codeOf(await ask("POST", "/v1/state?ID=lock", state)),
      codeOf(await ask("PUT", "/v1/recovery", state)),
    ],
  };
}

const REFUSED = ["409 NotApplying", "409 NotApplying"];
const STORED = ["204", "204"];

/** Run 1 has applied two things. */
async function applied() {
  const { ask, plan, store } = await aPlanner(world.aRun("network", 1));
  assert.equal(await plan(), "Apply");
  assert.deepEqual(await store(aState({ serial: 1, resources: ["vpc", "db"] })), STORED);
  await ask("DELETE", "/v1/state/lock?ID=lock");
  assert.equal((await ask("POST", "/v1/result", outcomeOf("Applied"))).status, 204);
}

describe("a pod that only plans", () => {
  beforeEach(applied);
  const emptied = aState({ serial: 2 });

  it("stores nothing, whatever comes of its plan: what exists is known as before, and nothing is destroyed by that", async () => {
    const before = await recordOf();
    const { ask, plan, store } = await aPlanner(world.aRun("network", 2, asksOne));
    assert.deepEqual(await store(emptied), REFUSED);
    assert.equal(await plan(), "Hold");
    assert.deepEqual(await store(emptied), REFUSED);
    await ask("DELETE", "/v1/state/lock?ID=lock");
    assert.equal((await ask("PUT", "/v1/plan/bundle", Buffer.from("bundle"))).status, 204);
    assert.deepEqual(await store(emptied), ["409 Fenced", "409 NotApplying"]);
    const { state, recovery } = await recordOf();
    assert.deepEqual([state, recovery], [before.state, undefined]);
  });

  it("stores nothing where there is nothing to apply, nor after it has told so", async () => {
    const { ask, plan, store } = await aPlanner(world.aRun("network", 2));
    assert.equal(await plan(true), "Apply");
    assert.deepEqual(await store(emptied), REFUSED);
    assert.equal((await ask("POST", "/v1/result", outcomeOf("Unchanged"))).status, 204);
    assert.deepEqual(await store(emptied), ["409 Fenced", "409 NotApplying"]);
    assert.equal((await recordOf()).state?.resources, 2);
  });

  it("of a destroy neither, so that it cannot end as if all were gone", async () => {
    const { ask, plan, store } = await aPlanner(world.aRun("network", 2, { operation: "Destroy" }));
    assert.deepEqual(await store(emptied), REFUSED);
    assert.equal(codeOf(await ask("POST", "/v1/result", outcomeOf("Destroyed"))), "400 BadRequest");
    assert.equal(await plan(), "Apply");
    assert.deepEqual(await store(emptied), STORED);
    assert.equal((await ask("POST", "/v1/result", outcomeOf("Destroyed"))).status, 204);
  });
});

describe("a pod that was told to apply", () => {
  beforeEach(applied);
  const grown = aState({ serial: 2, resources: ["vpc", "db", "queue"] });

  it("that waited, stores its state once that is allowed, and not when it begins", async () => {
    const run = world.aRun("network", 2, asksOne);
    const first = await aPlanner(run);
    await first.plan();
    await first.ask("DELETE", "/v1/state/lock?ID=lock");
    await first.ask("PUT", "/v1/plan/bundle", Buffer.from("bundle"));
    const second = await aPlanner(run, "Apply");
    assert.deepEqual(await second.store(grown), REFUSED);
    approve(run);
    assert.equal(await second.plan(), "Apply");
    assert.deepEqual(await second.store(grown), STORED);
    assert.deepEqual(await first.store(grown), ["409 Fenced", "409 Fenced"]);
  });

  it("stores it again, after its agent was started anew, and what it left behind after its end", async () => {
    const { ask, plan, claim, store } = await aPlanner(world.aRun("network", 2));
    await plan();
    const again = String((await claim()).json.session);
    const send = (state: Buffer) => world.call(world.replica, "POST", "/v1/state?ID=lock", again, state);
    for (const state of [grown, grown]) assert.equal((await send(state)).status, 204);
    await ask("DELETE", "/v1/state/lock?ID=lock");
    await ask("POST", "/v1/result", outcomeOf("Interrupted"));
    const late = aState({ serial: 3, resources: ["vpc"] });
    assert.deepEqual(await store(late), ["409 Fenced", "204"]);
    assert.equal((await recordOf()).state?.serial, 3);
  });
});

function approve({ metadata: { name, uid } }: Run): void {
  const spec = { environment: "shop", run: { name, uid }, planDigest: DIGEST, decision: "Approve", approver: "ada" };
  const metadata = {
    name: "of-ada",
    namespace: NAMESPACE,
    uid: "of-ada",
    creationTimestamp: new Date().toISOString(),
  };
  world.client.seed(APPROVALS, { metadata, spec });
}
