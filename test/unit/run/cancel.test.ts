import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { RunOutcome, RunStatus } from "../../../operator/api/run-status.ts";
import { act } from "../../../operator/run/act.ts";
import { cancelledInstead } from "../../../operator/run/cancel.ts";
import { decideRun } from "../../../operator/run/decide.ts";
import type { RunPorts } from "../../../operator/run/ports.ts";
import { statusAfter } from "../../../operator/run/status.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { aPod, begun, type ObservationFacts, observation, runSpec } from "./observations.ts";

const { name } = aRun(runSpec()).metadata;
const asked = anEnvironment([aComponent("network")], { metadata: { annotations: { [ANNOTATIONS.cancel]: name } } });
const heard = { cancelRequestedAt: new Date(T0).toISOString() };
const applying: RunStatus = begun({
  phase: "Applying",
  applyStartedAt: new Date(T0).toISOString(),
  plan: {
    digest: "sha256:0",
    counts: { create: 4, update: 1, replace: 0, delete: 0 },
    resources: [],
    verdict: "Apply",
  },
});
const toldToEnd = (reason: string, more: Partial<RunOutcome> = {}): RunOutcome => ({
  result: "Failed",
  reason,
  message: "the pod was told to end",
  retry: "Backoff",
  ...more,
});
const decides = (facts: ObservationFacts) => decideRun(observation(facts));

describe("A Run that a person cancels", () => {
  it("before it has a pod simply ends", () => {
    const decision = decides({ environment: asked, status: undefined, pod: undefined, freePlaces: 0 });
    assert.equal(decision.type, "cancel");
    assert.equal(decision.type === "cancel" && decision.outcome.reason, "Cancelled");
  });

  it("while its plan waits for people ends, too", () => {
    const status = begun({ phase: "AwaitingApproval", heldAt: new Date(T0).toISOString() });
    const decision = decides({ environment: asked, status, pod: undefined });
    assert.equal(decision.type === "cancel" && decision.outcome.reason, "Cancelled");
  });

  it("is heard first, which is written down, and asked to stop then, once", async () => {
    const first = observation({ environment: asked, status: applying });
    const decision = decideRun(first);
    assert.equal(decision.type, "hearCancel");
    const acted = await act(first.run, decision, {} as RunPorts, AbortSignal.timeout(1_000));
    const status = statusAfter(first, acted, new Date(T0)) ?? applying;
    assert.equal(status.cancelRequestedAt, heard.cancelRequestedAt);

    const second = { ...applying, ...status };
    assert.equal(decides({ environment: asked, status: second }).type, "stopPod");
    const leaving = aPod({ metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } });
    assert.equal(decides({ environment: asked, status: second, pod: leaving }).type, "wait");
  });

  it("goes on ending where the wish is taken back after it was heard", () => {
    assert.equal(decides({ status: { ...applying, ...heard } }).type, "stopPod");
  });

  it("ends where its plan was kept before its pod could be asked to stop, also where the wish is taken back, or about another Run by now", () => {
    const status = begun({ ...heard, phase: "AwaitingApproval", heldAt: new Date(T0).toISOString() });
    const another = anEnvironment([], { metadata: { annotations: { [ANNOTATIONS.cancel]: "another" } } });
    for (const environment of [anEnvironment([]), another]) {
      const decision = decides({ environment, status, pod: undefined });
      assert.equal(decision.type === "cancel" && decision.outcome.reason, "Cancelled");
    }
  });

  it("must be the very Run, of the very Environment", () => {
    const another = anEnvironment([aComponent("network")], {
      metadata: { annotations: { [ANNOTATIONS.cancel]: "another" } },
    });
    assert.equal(decides({ environment: another, status: applying }).type, "wait");
    const anew = { ...asked, metadata: { ...asked.metadata, uid: "another" } };
    assert.equal(decides({ environment: anew, status: applying }).type, "wait");
  });

  it("keeps its pod while a state is only there", () => {
    const progress = { step: "save state", updatedAt: new Date(T0).toISOString() };
    const decision = decides({ environment: asked, status: { ...applying, ...heard, progress } });
    assert.equal(decision.type, "wait");
  });

  it("lets its pod go once its result is told, though the last progress said that a state is only there", () => {
    const progress = { step: "save state", updatedAt: new Date(T0).toISOString() };
    const outcome: RunOutcome = { result: "Interrupted", reason: "Interrupted", message: "the engine is lost" };
    const decision = decides({ environment: asked, status: { ...applying, ...heard, progress, outcome } });
    assert.equal(decision.type, "stopPod");
  });

  it("tells what was done until then, and is tried again by nobody", () => {
    const run = aRun(runSpec(), { ...applying, ...heard });
    const journal = { entries: 5, completed: 2, leftovers: [] };
    const outcome = cancelledInstead(run, toldToEnd("ApplyFailed", { journal, stateSerial: 3, resources: 2 }));
    assert.deepEqual([outcome.result, outcome.reason, outcome.retry], ["Cancelled", "Cancelled", "Never"]);
    assert.equal(
      outcome.message,
      "cancelled by a person while it was applied: 2 of 5 changes were done, and the state is saved (serial 3, 2 resources)",
    );
    assert.equal(outcome.journal, journal);
  });

  it("says that nothing was applied where nothing was", () => {
    const run = aRun(runSpec(), begun(heard));
    assert.match(cancelledInstead(run, toldToEnd("RunnerLost")).message, /before anything was applied/);
  });

  it("keeps every other end: done all the same, interrupted, or with a state that was not saved", () => {
    const run = aRun(runSpec(), { ...applying, ...heard });
    const others: readonly RunOutcome[] = [
      { result: "Applied", reason: "Applied", message: "" },
      { result: "Interrupted", reason: "Interrupted", message: "" },
      toldToEnd("StateUnsaved"),
      toldToEnd("StateLost"),
      toldToEnd("OutOfMemory"),
    ];
    for (const outcome of others) assert.equal(cancelledInstead(run, outcome), outcome);
  });

  it("is closed as cancelled, also where the gateway had written the failure before", () => {
    const outcome = toldToEnd("RunnerLost");
    const run = aRun(runSpec(), begun({ ...heard, outcome }));
    const decision = decides({ run });
    assert.equal(decision.type === "close" && decision.outcome.result, "Cancelled");
    const end = decision.type === "close" ? decision.outcome : outcome;
    const status = statusAfter(observation({ run }), { type: "closed", outcome: end }, new Date(T0));
    assert.deepEqual([status?.phase, status?.outcome?.result], ["Cancelled", "Cancelled"]);
    assert.equal(status?.cancelRequestedAt, heard.cancelRequestedAt);
  });
});
