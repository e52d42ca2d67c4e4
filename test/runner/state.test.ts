/** Which state a runner pod with the real engine works on, and what it does with one that the store does not take. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { parseState } from "../../operator/engine/state.ts";
import { logged } from "./pod.ts";
import { ending, inline, runnerPods } from "./runner-pods.ts";
import { flagFolder, release, waitingResource } from "./waiting-resource.ts";

describe("a runner pod", function () {
  this.timeout(90_000);
  const start = runnerPods();
  const flagAt = flagFolder();

  for (const operation of ["Apply", "Destroy"] as const) {
    it(`stops where the stored state cannot be read, and never says that there is nothing: ${operation}`, async () => {
      const pod = await start({
        order: { ...inline('resource "terraform_data" "a" {}'), operation, stateExists: true },
        refuse: { "GET /v1/state": "StoreCorrupt" },
      });
      assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
      const { result, reason, retry } = pod.outcome() ?? {};
      assert.deepEqual([result, reason, retry], ["Failed", "StateLost", "Never"]);
      const { plans, state } = pod.gateway.memory;
      assert.deepEqual([plans.length, state], [0, undefined]);
    });
  }

  it("holds a state that nobody takes, over restarts, and tells no result before somebody has taken it", async () => {
    let taken = false;
    const refusals: string[] = [];
    const pod = await start({ order: inline('resource "terraform_data" "a" {}') });
    pod.gateway.memory.refuse = (request) => {
      if (taken || (request !== "POST /v1/state" && request !== "PUT /v1/recovery")) return undefined;
      refusals.push(request);
      return "StateOwnedByOther";
    };
    await logged(pod, /only copy of the state/);
    pod.agent().kill("SIGKILL");
    await new Promise((resolve) => pod.agent().once("exit", resolve));
    const before = refusals.length;
    pod.restartAgent();
    await pod.gateway.until(() => refusals.length > before, "the next agent to offer the state");
    assert.equal(pod.gateway.memory.result, undefined, "the Run stays open");
    assert.equal(pod.launcher.exitCode, null);
    taken = true;
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
    assert.ok(pod.gateway.memory.recovery);
    assert.equal(parseState(pod.gateway.memory.state?.toString() ?? "").resourceCount, 1);
  });

  it("that is told to end stays until a state that the store refuses is safe, and says so before it ends", async () => {
    const flag = flagAt("drain");
    let taken = false;
    const pod = await start({
      order: inline(`
        resource "terraform_data" "first" {}
        ${waitingResource("slow", flag)}`),
    });
    pod.gateway.memory.refuse = (request) =>
      !taken && (request === "POST /v1/state" || request === "PUT /v1/recovery") ? "StateOwnedByOther" : undefined;
    await pod.gateway.until(
      ({ journal }) => journal.some(({ event }) => event === "apply_complete"),
      "the first resource",
    );
    // As the kubelet does in a drain: both containers are told at once.
    pod.agent().kill("SIGTERM");
    pod.launcher.kill("SIGTERM");
    await release(flag);
    await logged(pod, /only copy of the state/);
    assert.deepEqual([pod.launcher.exitCode, pod.agent().exitCode], [null, null], "neither container ends");
    assert.equal(pod.gateway.memory.result, undefined, "the Run stays open: nothing is planned meanwhile");
    taken = true;
    await pod.ended();
    const saved = parseState(pod.gateway.memory.recovery?.toString() ?? "");
    assert.ok(saved.addresses.includes("terraform_data.first"));
    assert.ok(pod.gateway.memory.result);
  });

  it("takes no state while it plans, from a program of the module neither, and the one of its apply", async () => {
    const pod = await start({
      order: inline('resource "terraform_data" "a" {}'),
      refuse: { "POST /v1/plan": "StoreUnavailable" },
    });
    await pod.gateway.until(({ requests }) => requests.includes("POST /v1/plan"), "the plan");
    const { digestKey, run } = pod.gateway.memory.order;
    // As the engine has it in its environment.
    const password = createHmac("sha256", Buffer.from(digestKey, "base64")).update(`state of ${run.uid}`);
    const authorization = `Basic ${btoa(`terrarium:${password.digest("base64url")}`)}`;
    const ask = (method: string, query = "", body = "") =>
      fetch(`http://127.0.0.1:${pod.statePort}/state${query}`, { method, headers: { authorization }, body });
    assert.equal((await ask("LOCK", "", JSON.stringify({ ID: "mine" }))).status, 200);
    const state = JSON.stringify({ version: 4, terraform_version: "1", serial: 9, lineage: "l", resources: [] });
    assert.equal((await ask("POST", "?ID=mine", state)).status, 409);
    assert.equal((await ask("UNLOCK", "", JSON.stringify({ ID: "mine" }))).status, 200);
    assert.deepEqual([pod.gateway.memory.state, pod.gateway.memory.recovery], [undefined, undefined]);
    pod.gateway.memory.refuse = () => undefined;
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 }, pod.log());
    assert.deepEqual(ending(pod), { result: "Applied", reason: "Applied", resources: 1, lock: undefined });
    assert.notEqual(parseState(pod.gateway.memory.state?.toString() ?? "").lineage, "l");
  });

  it("saves the state that the store refused at first, and says that it did", async () => {
    let refusals = 1;
    const refuse = (request: string) => (request === "POST /v1/state" && refusals-- > 0 ? "NotAState" : undefined);
    const pod = await start({ order: inline('resource "terraform_data" "a" {}') });
    pod.gateway.memory.refuse = refuse;
    await pod.ended();
    assert.ok(pod.gateway.memory.recovery, "a copy was made before anything else");
    assert.ok(pod.gateway.memory.state, pod.log());
    assert.equal(pod.gateway.memory.lock, undefined);
    assert.match(pod.outcome()?.message ?? "", /state was saved afterwards/);
  });
});
