import assert from "node:assert/strict";
import type { RunOutcome } from "../../../operator/api/run-status.ts";
import { closedPhase, outcomeOfDeath } from "../../../operator/run/ending.ts";
import type { Claim } from "../../../operator/storage/record.ts";
import { aRecord, aRun } from "../../fakes/objects.ts";
import { runSpec } from "./observations.ts";

const run = aRun(runSpec());
const death = { how: "its node is gone", outOfMemory: false, trouble: undefined };
const at = "2026-01-01T00:00:00Z";
const claim = (more: Partial<Claim> = {}): Claim => ({
  run: run.metadata.name,
  runUid: run.metadata.uid,
  phase: "Plan",
  podUid: "pod-uid",
  at,
  ...more,
});
const applying = { planDigest: "sha256:00", at };
const applied: RunOutcome = { result: "Applied", reason: "Applied", message: "the plan was applied" };

describe("A Run whose pod died without a word", () => {
  it("ended as its result says, when that arrived in the last moment", () => {
    const lastResult = { runUid: run.metadata.uid, podUid: "pod-uid", outcome: applied, at };
    const record = aRecord("network", { claim: claim({ applying }), lastResult });
    assert.deepEqual(outcomeOfDeath(run, record, { ...death, outOfMemory: true }), applied);
  });

  it("is not given the result of another Run", () => {
    const lastResult = { runUid: "another", podUid: "pod-uid", outcome: applied, at };
    assert.equal(outcomeOfDeath(run, aRecord("network", { lastResult }), death).reason, "RunnerLost");
  });

  it("was interrupted when it had been told to apply, and is not repeated", () => {
    const outcome = outcomeOfDeath(run, aRecord("network", { claim: claim({ applying }) }), death);
    assert.equal(outcome.result, "Interrupted");
    assert.equal(outcome.retry, undefined);
    assert.match(outcome.message, /died while it applied: its node.* is gone/);
  });

  it("was interrupted when it ran out of memory while it applied", () => {
    const record = aRecord("network", { claim: claim({ applying }) });
    const outcome = outcomeOfDeath(run, record, { ...death, outOfMemory: true });
    assert.equal(outcome.result, "Interrupted");
    assert.match(outcome.message, /out of memory/);
  });

  it("says of an interrupted destroy that the next try goes on", () => {
    const destroy = aRun(runSpec({ operation: "Destroy" }));
    const outcome = outcomeOfDeath(destroy, aRecord("network", { claim: claim({ applying }) }), death);
    assert.equal(outcome.result, "Interrupted");
    assert.match(outcome.message, /destroyed by the next try/);
  });

  it("was not interrupted by an apply of another Run", () => {
    const record = aRecord("network", { claim: claim({ runUid: "another", applying }) });
    assert.equal(outcomeOfDeath(run, record, death).result, "Failed");
  });

  it("failed for want of memory in the plan, and is tried again", () => {
    const outcome = outcomeOfDeath(run, aRecord("network", { claim: claim() }), { ...death, outOfMemory: true });
    assert.deepEqual([outcome.result, outcome.reason, outcome.retry], ["Failed", "OutOfMemory", "Backoff"]);
  });

  it("quotes Kubernetes when it never started", () => {
    const outcome = outcomeOfDeath(run, undefined, { ...death, trouble: "the pod cannot be scheduled: 0/1 nodes" });
    assert.equal(outcome.reason, "PodUnschedulable");
    assert.match(outcome.message, /0\/1 nodes/);
  });

  it("is tried again when nothing was applied", () => {
    const outcome = outcomeOfDeath(run, undefined, death);
    assert.deepEqual([outcome.result, outcome.reason, outcome.retry], ["Failed", "RunnerLost", "Backoff"]);
  });
});

describe("The phase of a closed Run", () => {
  const phases: Record<RunOutcome["result"], string> = {
    Applied: "Succeeded",
    Drifted: "Succeeded",
    Unchanged: "Succeeded",
    Destroyed: "Succeeded",
    Failed: "Failed",
    Waiting: "Failed",
    Interrupted: "Interrupted",
    Cancelled: "Cancelled",
  };
  for (const [result, phase] of Object.entries(phases)) {
    it(`is ${phase} after ${result}`, () => {
      const outcome = { ...applied, result: result as RunOutcome["result"] };
      assert.equal(closedPhase(outcome), phase);
    });
  }
});
