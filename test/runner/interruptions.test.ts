/** A runner pod with the real engine whose gateway goes away in an apply, or whose agent is killed or told to end. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseState } from "../../operator/engine/state.ts";
import { logged } from "./pod.ts";
import { inline, runnerPods } from "./runner-pods.ts";
import { flagFolder, release, waitingResource } from "./waiting-resource.ts";

describe("a runner pod", function () {
  this.timeout(90_000);
  const start = runnerPods();
  const flagAt = flagFolder();

  const killedBeforeItsPlanIsJudged = async () => {
    const pod = await start({
      order: inline('resource "terraform_data" "a" {}'),
      refuse: { "POST /v1/plan": "StoreUnavailable" },
    });
    await pod.gateway.until(({ requests }) => requests.includes("POST /v1/plan"), "the plan");
    pod.agent().kill("SIGKILL");
    await new Promise((resolve) => pod.agent().once("exit", resolve));
    return pod;
  };

  it("loses nothing when the gateway is away in the middle of an apply", async () => {
    const flag = flagAt("away");
    const pod = await start({ order: inline(waitingResource("slow", flag)) });
    await pod.gateway.until(({ journal }) => journal.length > 0, "the apply to begin");
    pod.gateway.memory.away = true;
    await release(flag);
    await logged(pod, /Apply complete/);
    assert.equal(pod.gateway.memory.state, undefined);
    pod.gateway.memory.away = false;
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 }, pod.log());
    assert.equal(pod.outcome()?.result, "Applied");
    assert.ok(pod.gateway.memory.state);
    assert.equal(pod.gateway.memory.lock, undefined);
    assert.equal(pod.gateway.memory.journal.length, 2);
    assert.equal(pod.outcome()?.diagnostics, undefined);
  });

  it("goes on with the same apply when the agent is killed in the middle of it", async () => {
    const flag = flagAt("restart");
    const counted = `
      resource "terraform_data" "once" {
        provisioner "local-exec" { command = "echo made >> ${flag}.count" }
      }
      ${waitingResource("slow", flag)}`;
    const pod = await start({ order: inline(counted) });
    await pod.gateway.until(
      ({ journal }) => journal.some(({ event }) => event === "apply_complete"),
      "the first resource",
    );
    pod.agent().kill("SIGKILL");
    await new Promise((resolve) => pod.agent().once("exit", resolve));
    await release(flag);
    pod.restartAgent();
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 }, pod.log());
    assert.equal(pod.outcome()?.result, "Applied");
    assert.equal(readFileSync(`${flag}.count`, "utf8"), "made\n");
    assert.deepEqual(
      pod.gateway.memory.journal
        .filter(({ event }) => event === "apply_complete")
        .map(({ address }) => address)
        .sort(),
      ["terraform_data.once", "terraform_data.slow"],
    );
    assert.equal(parseState(pod.gateway.memory.state?.toString() ?? "").resourceCount, 2);
  });

  it("stops an apply on SIGTERM, saves what was made and says so", async () => {
    const flag = flagAt("term");
    const files = `
      resource "terraform_data" "first" {}
      ${waitingResource("slow", flag)}
      resource "terraform_data" "never" { depends_on = [terraform_data.slow] }`;
    const pod = await start({ order: inline(files) });
    await pod.gateway.until(
      ({ journal }) => journal.some(({ event }) => event === "apply_complete"),
      "the first resource",
    );
    pod.agent().kill("SIGTERM");
    await logged(pod, /[Ii]nterrupt|[Ss]topping/);
    await release(flag);
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
    const outcome = pod.outcome();
    assert.equal(outcome?.reason, "ApplyFailed");
    assert.match(outcome.message, /the pod was told to end while it applied/);
    const state = parseState(pod.gateway.memory.state?.toString() ?? "");
    assert.ok(state.addresses.includes("terraform_data.first"));
    assert.ok(!state.addresses.includes("terraform_data.never"));
    assert.equal(pod.gateway.memory.lock, undefined);
  });

  for (const who of ["agent", "engine"] as const)
    it(`ends as a whole where only its ${who} hears that it is to, before there is an order`, async () => {
      const pod = await start({ order: inline(""), refuse: { "POST /v1/claim": "StoreUnavailable" } });
      await pod.gateway.until(({ requests }) => requests.includes("POST /v1/claim"), "the claim");
      (who === "agent" ? pod.agent() : pod.launcher).kill("SIGTERM");
      assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
      assert.match(pod.log(), /told to end before there was an order: nothing was done/);
      assert.equal(pod.outcome(), undefined);
    });

  it("tells that it was told to end where that comes before a restarted agent has claimed its order again", async () => {
    const pod = await killedBeforeItsPlanIsJudged();
    const claims = () => pod.gateway.memory.requests.filter((request) => request === "POST /v1/claim").length;
    const before = claims();
    pod.gateway.memory.refuse = (request) => (request === "POST /v1/claim" ? "StoreUnavailable" : undefined);
    pod.restartAgent();
    await pod.gateway.until(() => claims() > before, "the second claim");
    pod.launcher.kill("SIGTERM");
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
    assert.equal(pod.outcome()?.reason, "RunnerLost", pod.log());
    assert.equal(pod.gateway.memory.state, undefined);
  });

  it("applies nothing where the plan is another one than the one that was judged", async () => {
    const pod = await killedBeforeItsPlanIsJudged();
    const counts = { create: 1, update: 0, replace: 0, delete: 0 };
    const report = { digest: "sha256:judged", counts, empty: false, resources: [], truncated: false, drifted: 0 };
    const planned = { report: { ...report, inputsDigest: "" }, verdict: pod.gateway.memory.verdict };
    writeFileSync(join(pod.root, "spool/planned.json"), JSON.stringify(planned));
    pod.restartAgent();
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
    assert.equal(pod.outcome()?.reason, "PlanFailed");
    assert.match(pod.outcome()?.message ?? "", /changed after it was judged/);
    assert.equal(pod.gateway.memory.state, undefined);
  });
});
