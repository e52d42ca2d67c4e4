import assert from "node:assert/strict";
import fc from "fast-check";
import type { Run } from "../../../operator/api/run.ts";
import { type RunOutcome, type RunStatus, runStatus } from "../../../operator/api/run-status.ts";
import type { Acted } from "../../../operator/run/act.ts";
import { statusAfter } from "../../../operator/run/status.ts";
import { kstatusOf, violationsBetween, violationsOf } from "../../fakes/kstatus.ts";
import { aRun, T0 } from "../../fakes/objects.ts";
import { aPod, begun, observation, POD_UID, runSpec } from "./observations.ts";

const now = new Date(T0 + 60_000);
const applied: RunOutcome = { result: "Applied", reason: "Applied", message: "the plan was applied" };
const told: RunStatus = begun({
  phase: "Applying",
  progress: { step: "apply", done: 1, total: 3, updatedAt: now.toISOString() },
  plan: {
    digest: "sha256:00",
    counts: { create: 1, update: 0, replace: 0, delete: 0 },
    resources: [],
    verdict: "Apply",
  },
  plannedAt: now.toISOString(),
  applyStartedAt: now.toISOString(),
});

const hindered = { type: "hindered", webhook: "pods.example.com", error: new Error("port 53512") } as const;
const everyAct: readonly Acted[] = [
  { type: "started", pod: aPod() },
  { type: "working", phase: "Applying", message: "the plan is applied" },
  { type: "cancelling", phase: "Applying" },
  { type: "imageTold" },
  { type: "foreign", name: "the-pod" },
  hindered,
  { type: "rightMissing", message: "cannot create pods" },
  { type: "unproven", podUid: "lost", message: "its object is gone" },
  { type: "closed", outcome: applied },
];
const GATEWAYS = ["progress", "plan", "plannedAt", "applyStartedAt"] as const;
const seen = (run: Run) => observation({ run });
const succeeded = (status: RunStatus | undefined) => status?.conditions?.find(({ type }) => type === "Succeeded");

describe("The Run controller's part of the status", () => {
  for (const acted of everyAct) {
    it(`leaves out the gateway's fields after "${acted.type}", so that applying it removes none of them`, () => {
      const status = statusAfter(seen(aRun(runSpec(), told)), acted, now);
      assert.ok(status !== undefined);
      for (const field of GATEWAYS) assert.ok(!(field in status), field);
    });

    it(`keeps the pod that is recorded after "${acted.type}"`, () => {
      const status = statusAfter(seen(aRun(runSpec(), told)), acted, now);
      assert.equal(status?.pods?.[0]?.uid, POD_UID);
      assert.ok(status?.startedAt !== undefined);
    });
  }

  it("records the image that the pod really ran, and remembers it when the pod has gone", () => {
    const imageID = `registry.example.com/runner@sha256:${"0a".repeat(32)}`;
    const pod = aPod();
    const containerStatuses = pod.status?.containerStatuses?.map((one) => ({ ...one, imageID })) ?? [];
    const seen = { ...pod, status: { ...pod.status, containerStatuses } };
    const acted: Acted = { type: "working", phase: "Planning", message: "the plan is made" };
    const working = statusAfter(observation({ run: aRun(runSpec(), told), pod: seen }), acted, now);
    assert.equal(working?.pods?.[0]?.image, imageID);
    const ended = observation({ run: aRun(runSpec(), { ...told, ...working }), pod: undefined });
    assert.equal(statusAfter(ended, { type: "closed", outcome: applied }, now)?.pods?.[0]?.image, imageID);
  });

  it("is not written when nothing was done", () => {
    assert.equal(statusAfter(seen(aRun(runSpec(), told)), { type: "nothing" }, now), undefined);
  });

  it("records the outcome only where nobody has reported one", () => {
    const acted: Acted = { type: "closed", outcome: applied };
    assert.deepEqual(statusAfter(seen(aRun(runSpec(), told)), acted, now)?.outcome, applied);
    assert.equal(statusAfter(seen(aRun(runSpec(), { ...told, outcome: applied })), acted, now)?.outcome, undefined);
  });

  it("closes with phase, time and condition together", () => {
    const status = statusAfter(seen(aRun(runSpec(), told)), { type: "closed", outcome: applied }, now);
    assert.equal(status?.phase, "Succeeded");
    assert.equal(status?.finishedAt, now.toISOString());
    assert.deepEqual([succeeded(status)?.status, succeeded(status)?.reason], ["True", "Applied"]);
    const failed: RunOutcome = { result: "Failed", reason: "PlanFailed", message: "Error: no" };
    const other = statusAfter(seen(aRun(runSpec(), told)), { type: "closed", outcome: failed }, now);
    assert.deepEqual(
      [other?.phase, succeeded(other)?.status, succeeded(other)?.reason],
      ["Failed", "False", "PlanFailed"],
    );
  });

  it("says what a person has to do about a foreign pod, a role that lacks a right, and a death that nobody can prove", () => {
    const foreign = statusAfter(seen(aRun(runSpec())), { type: "foreign", name: "the-pod" }, now);
    assert.deepEqual([foreign?.phase, succeeded(foreign)?.reason], ["Pending", "ForeignPod"]);
    assert.match(foreign?.message ?? "", /the-pod: delete it/);
    const role = statusAfter(seen(aRun(runSpec())), { type: "rightMissing", message: "cannot create pods" }, now);
    assert.deepEqual([role?.phase, succeeded(role)?.reason], ["Pending", "RightMissing"]);
    assert.match(role?.message ?? "", /role lacks a right, and it goes on when that is given back: cannot create pods/);
    const unproven = statusAfter(
      seen(aRun(runSpec(), told)),
      { type: "unproven", podUid: "lost", message: "look first" },
      now,
    );
    assert.deepEqual([unproven?.phase, succeeded(unproven)?.reason], ["Applying", "ProofOfDeathMissing"]);
    assert.equal(unproven?.unprovenPod, "lost");
  });

  it("says what a pod waits for that cannot be made now, without a person being needed", () => {
    const status = statusAfter(seen(aRun(runSpec())), hindered, now);
    assert.deepEqual([status?.phase, succeeded(status)?.reason], ["Pending", "Progressing"]);
    assert.equal(
      status?.message,
      "the pod cannot be made now, and is tried again: the webhook pods.example.com does not answer",
    );
  });

  it("is for kstatus under way, finished or failed, and never finished before it has ended", () => {
    const after = (acted: Acted) => {
      const run = aRun(runSpec(), told);
      const status = statusAfter(seen(run), acted, now);
      assert.ok(status !== undefined);
      const object = { ...run, status };
      assert.deepEqual([...violationsOf(object), ...violationsBetween(run, object)], []);
      return kstatusOf(object);
    };
    const closed = (outcome: Partial<RunOutcome>): Acted => ({ type: "closed", outcome: { ...applied, ...outcome } });
    const rows: readonly (readonly [Acted, string])[] = [
      [{ type: "started", pod: aPod() }, "InProgress"],
      [{ type: "working", phase: "Applying", message: "the plan is applied" }, "InProgress"],
      [{ type: "foreign", name: "the-pod" }, "Failed"],
      [hindered, "InProgress"],
      [{ type: "rightMissing", message: "cannot create pods" }, "Failed"],
      [{ type: "unproven", podUid: "lost", message: "look first" }, "Failed"],
      [closed({}), "Current"],
      [closed({ result: "Unchanged", reason: "Unchanged" }), "Current"],
      [closed({ result: "Failed", reason: "PlanFailed" }), "Failed"],
      [closed({ result: "Waiting", reason: "InputMissing" }), "Failed"],
      [closed({ result: "Interrupted", reason: "Interrupted" }), "Failed"],
      [closed({ result: "Cancelled", reason: "Cancelled" }), "Current"],
    ];
    for (const [acted, expected] of rows) assert.equal(after(acted), expected, JSON.stringify(acted));
    assert.equal(kstatusOf({ ...aRun(runSpec()), status: { observedGeneration: -1 } }), "InProgress");
  });

  it("can be written, however long that is which somebody has said", () => {
    const said = fc.string({ unit: "grapheme", minLength: 300, maxLength: 3000, size: "max" });
    fc.assert(
      fc.property(said, (message) => {
        const acts: readonly Acted[] = [
          { type: "closed", outcome: { ...applied, message } },
          { type: "working", phase: "Applying", message },
          { ...hindered, webhook: message },
          { type: "rightMissing", message },
          { type: "unproven", podUid: "lost", message },
        ];
        for (const acted of acts) {
          const status = statusAfter(seen(aRun(runSpec(), told)), acted, now);
          assert.deepEqual(runStatus.safeParse(status).error?.issues ?? [], []);
        }
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });

  it("keeps the end of a Run word for word where it fits", () => {
    const outcome: RunOutcome = { result: "Cancelled", reason: "Rejected", message: "語".repeat(1024) };
    const status = statusAfter(seen(aRun(runSpec(), told)), { type: "closed", outcome }, now);
    assert.deepEqual(status?.outcome, outcome);
  });

  it("moves the time of the transition only when the condition's status changes", () => {
    const before = statusAfter(
      seen(aRun(runSpec(), begun())),
      { type: "working", phase: "Planning", message: "a" },
      new Date(T0),
    );
    const run = aRun(runSpec(), before);
    const again = statusAfter(seen(run), { type: "working", phase: "Planning", message: "b" }, now);
    assert.equal(succeeded(again)?.lastTransitionTime, new Date(T0).toISOString());
    const closed = statusAfter(seen(run), { type: "closed", outcome: applied }, now);
    assert.equal(succeeded(closed)?.lastTransitionTime, now.toISOString());
  });
});
