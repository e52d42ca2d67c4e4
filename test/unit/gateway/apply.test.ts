import assert from "node:assert/strict";
import { RUNS } from "../../../operator/cluster/resources.ts";
import { aState } from "../storage/claimants.ts";
import { type ApplyingWorld, aPlan, applyingWorld, outcomeOf, VPC } from "./applying-world.ts";
import { codeOf, untilApplying } from "./gateway-world.ts";

let world: ApplyingWorld;
const begin = async () => {
  world = await applyingWorld();
};
const end = () => world.close();

describe("an apply", () => {
  beforeEach(begin);
  afterEach(end);

  it("leaves state, archive, outputs and result in the store, and plan and outcome in the Run's status", async () => {
    const run = world.aRun("network", 1);
    await world.applyAll(run, aState(VPC));
    const record = await world.recordOf(run);
    assert.equal(record.state?.serial, 1);
    assert.equal(record.mayHoldObjects, true);
    assert.equal(record.attempted, undefined);
    assert.equal(record.applied?.desiredDigest, "sha256:desired-1");
    assert.deepEqual(
      record.applied?.outputs.map(({ name, sensitive }) => [name, sensitive]),
      [
        ["id", false],
        ["key", true],
      ],
    );
    assert.equal((await world.store.getBlob(record, record.applied.archive)).toString(), "archive of shop-network-1");
    const status = await world.runStatus(run);
    assert.equal(status?.plan?.digest, "sha256:plan");
    assert.ok(status?.applyStartedAt);
    const { result, stateSerial, resources, appliedDigest } = status?.outcome ?? {};
    assert.deepEqual([result, stateSerial, resources, appliedDigest], ["Applied", 1, 1, "sha256:desired-1"]);
  });

  it("is recorded before it is allowed: a death after that leaves what destroying needs", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await world.aWorker(run);
    assert.equal(codeOf(await ask("POST", "/v1/plan", aPlan("sha256:plan"))), "400 BadRequest");
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    assert.equal((await ask("POST", "/v1/plan", aPlan("sha256:plan"))).json.verdict, "Apply");
    assert.equal((await ask("POST", "/v1/plan", aPlan("sha256:plan"))).json.verdict, "Apply");
    assert.equal((await ask("POST", "/v1/plan", aPlan("sha256:other"))).json.verdict, "Refuse");
    const { claim, attempted, mayHoldObjects } = await world.recordOf(run);
    assert.deepEqual(
      [claim?.applying?.planDigest, attempted?.run, mayHoldObjects],
      ["sha256:plan", run.metadata.name, true],
    );
  });

  it("takes a result as often as it comes, and nothing after it", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await world.applyAll(run, aState(VPC));
    const before = await world.recordOf(run);
    assert.equal((await ask("POST", "/v1/result", outcomeOf("Failed"))).status, 204);
    assert.deepEqual(await world.recordOf(run), before);
    assert.equal(codeOf(await ask("PUT", "/v1/state/lock", { ID: "late" })), "409 Fenced");
    assert.equal(codeOf(await ask("POST", "/v1/state?ID=lock", aState({ serial: 9 }))), "409 Fenced");
  });

  it("that is empty keeps the state and moves the digest on", async () => {
    await world.applyAll(world.aRun("network", 1), aState(VPC));
    const run = world.aRun("network", 2);
    const { ask } = await world.aWorker(run);
    await ask("PUT", "/v1/archive", Buffer.from("second archive"));
    await ask("POST", "/v1/plan", aPlan("sha256:empty", true));
    assert.equal(codeOf(await ask("POST", "/v1/result", outcomeOf("Applied"))), "400 BadRequest");
    await ask("POST", "/v1/result", outcomeOf("Unchanged"));
    const { applied, state } = await world.recordOf(run);
    assert.deepEqual([applied?.desiredDigest, applied?.number, state?.serial], ["sha256:desired-2", 2, 1]);
  });

  it("of a revision that only the agent knew completes the digest with it", async () => {
    const git = { url: "https://git.example.com/a.git", interval: "5m" };
    const run = world.aRun("network", 1, {}, { source: { git } });
    const { ask } = await world.aWorker(run);
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/result", outcomeOf("Unchanged", { revision: "0123abcd" }));
    assert.equal((await world.recordOf(run)).applied?.desiredDigest, "sha256:inputs at 0123abcd");
  });

  it("keeps the login that its fetch used with the url that it opens, also where it failed", async () => {
    const url = "https://git.example.com/a.git";
    const run = world.aRun("network", 1, {}, { source: { git: { url, interval: "5m" } } });
    const { ask } = await world.aWorker(run);
    const login = { username: "robot", password: "a-word" };
    await ask("POST", "/v1/result", { ...outcomeOf("Failed"), sourceCredentials: login });
    const { sourceCredentials, lastResult } = await world.recordOf(run);
    assert.deepEqual(sourceCredentials, { ...login, url, at: lastResult?.at });
  });

  it("that fails tells what was created and is not in the state", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await world.aWorker(run);
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", aPlan("sha256:plan"));
    const at = "2030-01-01T00:00:00Z";
    const entries = [
      { at, event: "apply_complete", address: "terraform_data.vpc", action: "create", idValue: "vpc-1" },
    ];
    assert.equal((await ask("POST", "/v1/journal", { from: 0, entries })).status, 204);
    await ask("POST", "/v1/result", outcomeOf("Failed"));
    const left = (await world.runStatus(run))?.outcome?.journal?.leftovers;
    assert.deepEqual(left, [{ address: "terraform_data.vpc", id: "vpc-1" }]);
    assert.equal((await world.recordOf(run)).attempted?.run, run.metadata.name);
  });

  it("of five thousand resources is stored and read back byte for byte", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await world.aWorker(run);
    const resources = Array.from({ length: 5000 }, (_, at) => `r${at}`);
    const state = aState({ serial: 1, resources, padding: "x".repeat(400) });
    assert.ok(state.length > 2_000_000);
    await untilApplying(ask);
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    assert.equal((await ask("POST", "/v1/state?ID=lock", state)).status, 204);
    assert.ok((await ask("GET", "/v1/state")).bytes.equals(state));
  });
});

describe("a Run that a person cancelled", () => {
  beforeEach(begin);
  afterEach(end);

  it("ends as cancelled in store and status alike, with what was done", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await world.aWorker(run);
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", aPlan("sha256:plan"));
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    await ask("POST", "/v1/state?ID=lock", aState(VPC));
    await ask("DELETE", "/v1/state/lock?ID=lock");
    const at = "2030-01-01T00:00:00Z";
    const entries = [{ at, event: "apply_complete", address: "terraform_data.vpc", action: "create" }];
    await ask("POST", "/v1/journal", { from: 0, entries });
    const status = { cancelRequestedAt: at };
    await world.client.mergePatch(RUNS, run.metadata.namespace, run.metadata.name, { status });
    await ask("POST", "/v1/result", outcomeOf("Failed", { reason: "ApplyFailed", retry: "Backoff" }));
    const told = (await world.runStatus(run))?.outcome;
    assert.deepEqual([told?.result, told?.reason], ["Cancelled", "Cancelled"]);
    assert.match(told?.message ?? "", /1 of 1 changes were done, and the state is saved \(serial 1, 1 resources\)/);
    const { lastResult, attempted } = await world.recordOf(run);
    assert.equal(lastResult?.outcome.result, "Cancelled");
    assert.equal(attempted?.run, run.metadata.name, "what a destroy needs is kept");
  });
});
