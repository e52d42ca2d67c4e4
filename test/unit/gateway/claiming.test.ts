import assert from "node:assert/strict";
import { PODS } from "../../../operator/cluster/resources.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import { aToken } from "../../fakes/token.ts";
import { aState } from "../storage/claimants.ts";
import { type ApplyingWorld, applyingWorld, VPC } from "./applying-world.ts";
import { codeOf, keyOf, NAMESPACE } from "./gateway-world.ts";

let world: ApplyingWorld;
const begin = async () => {
  world = await applyingWorld();
};
const end = () => world.close();

describe("claiming a Run", () => {
  beforeEach(begin);
  afterEach(end);

  it("gives a work order to the pod that the operator made, and the same again after a restart", async () => {
    const run = world.aRun("network", 1);
    const worker = await world.aWorker(run);
    assert.deepEqual(worker.order.timeouts, { planMs: 900_000, applyMs: 3_600_000 });
    assert.equal(worker.order.stateExists, false);
    const again = await world.claim(worker.pod, run, world.replica);
    assert.deepEqual(again.json, worker.order);
  });

  it("tells which variables the module must declare, for an apply alone: what is destroyed was applied", async () => {
    const own = { ownVariables: ["size"] };
    const apply = await world.applyAll(world.aRun("network", 1, {}, own), aState(VPC));
    assert.deepEqual(apply.order.ownVariables, ["size"]);
    const destroy = await world.aWorker(world.aRun("network", 2, { operation: "Destroy" }, own));
    assert.equal(destroy.order.ownVariables, undefined);
  });

  it("is refused to everybody else", async () => {
    const run = world.aRun("network", 1);
    const forged = world.aPod(run, { order: "forged", suffix: "x" });
    const wrongPhase = world.aPod(run, { phase: "Apply", suffix: "a" });
    assert.equal(codeOf(await world.claim(forged, run)), "403 NotYourRun");
    assert.equal(codeOf(await world.claim(wrongPhase, run)), "403 NotYourRun");
    assert.equal(codeOf(await world.claim({ ...forged, token: aToken("unknown") }, run)), "401 Unauthenticated");
    const pod = world.aPod(run);
    assert.equal(codeOf(await world.claim(pod, world.aRun("network", 2))), "403 NotYourRun");
    world.client.seed(PODS, { metadata: { name: pod.name, namespace: NAMESPACE, uid: "made anew" } });
    assert.equal(codeOf(await world.claim(pod, run)), "403 NotYourRun");
    assert.equal(await world.store.record(keyOf(run)), undefined);
  });

  it("is won by one of two pods that claim at once at different replicas", async () => {
    const run = world.aRun("network", 1);
    const [one, two] = [world.aPod(run), world.aPod(run, { suffix: "q" })];
    const answers = await Promise.all([world.claim(one, run), world.claim(two, run, world.replica)]);
    assert.deepEqual(answers.map(codeOf).sort(), ["200", "409 AlreadyClaimed"]);
  });

  it("is refused while another Environment owns the state", async () => {
    const run = world.aRun("network", 1);
    await ensureRecord(world.store, keyOf(run), "another-uid");
    assert.equal(codeOf(await world.claim(world.aPod(run), run)), "409 StateOwnedByOther");
  });
});

describe("outputs of other components", () => {
  beforeEach(begin);
  afterEach(end);

  const wired = (name: string) => ({
    variables: [{ name: "vpc", valueFrom: { output: { component: "network", name } } }],
  });

  it("come with the work order, by value", async () => {
    await world.applyAll(world.aRun("network", 1), aState(VPC));
    const { order } = await world.aWorker(world.aRun("database", 1, {}, wired("key")));
    assert.deepEqual(order.variables, [{ name: "vpc", kind: "value", value: "hush", sensitive: true }]);
  });

  it("that are missing end the Run with both names", async () => {
    await world.applyAll(world.aRun("network", 1), aState(VPC));
    const run = world.aRun("database", 1, {}, wired("subnets"));
    const pod = world.aPod(run);
    assert.equal(codeOf(await world.claim(pod, run)), "409 OutputMissing");
    const outcome = (await world.runStatus(run))?.outcome;
    assert.equal(outcome?.reason, "OutputMissing");
    assert.match(outcome?.message ?? "", /variable vpc: component network has no output subnets; it has id, key/);
    assert.equal(codeOf(await world.claim(pod, run)), "409 Fenced");
  });
});
