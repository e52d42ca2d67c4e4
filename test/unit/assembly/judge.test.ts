import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { RunStatus } from "../../../operator/api/run-status.ts";
import type { Window } from "../../../operator/api/time.ts";
import { judgeFor } from "../../../operator/assembly/judge.ts";
import { CALLED_OFF, type PlanReport } from "../../../operator/gateway/protocol.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aComponent, aLifetime, anEnvironment, aRun, CATALOGUE, T0 } from "../../fakes/objects.ts";
import { begun, runSpec } from "../run/observations.ts";

const HOUR_MS = 3_600_000;
const nights: Window = { name: "nights", type: "Allow", schedule: "0 22 * * *", duration: "2h", timeZone: "UTC" };
const plan: PlanReport = {
  digest: "sha256:plan",
  empty: false,
  counts: { create: 1, update: 0, replace: 0, delete: 0 },
  resources: [],
  truncated: false,
  drifted: 0,
  inputsDigest: "sha256:inputs",
};

const evaluate = async () => ({ holds: true });

const judged = (
  environment: Environment,
  hour = 0,
  more: Parameters<typeof runSpec>[0] = {},
  report = plan,
  status?: RunStatus,
) => {
  const client = {
    find: async () => environment as never,
    listAll: () => assert.fail("a fresh plan rests on nothing"),
  };
  const clock = { now: () => new Date(T0 + hour * HOUR_MS) };
  const circumstances = { phase: "Plan", signal: new AbortController().signal } as const;
  return judgeFor({ client, clock, evaluate, store: memoryStore(), catalogue: CATALOGUE })(
    report,
    aRun(runSpec(more), status),
    circumstances,
  );
};

describe("The judge of plans", () => {
  const network = aComponent("network");
  const windowed = anEnvironment([network], { spec: { windows: [nights] } });

  it("lets a plan be applied within a window, and keeps it for the next one where the window has closed", async () => {
    assert.equal((await judged(windowed, 22)).verdict, "Apply");
    const { verdict, reason, message } = await judged(windowed, 12);
    assert.deepEqual([verdict, reason], ["Hold", "WindowClosed"]);
    assert.equal(message, "no window is open: the next one opens at 2026-01-01T22:00:00Z");
  });

  it("does not keep a plan that changes nothing", async () => {
    assert.equal((await judged(windowed, 12, {}, { ...plan, empty: true })).verdict, "Apply");
  });

  it("lets a person's reason open the window", async () => {
    const annotations = { [ANNOTATIONS.windowOverride]: "the shop is down" };
    const environment = anEnvironment([network], { spec: { windows: [nights] }, metadata: { annotations } });
    assert.equal((await judged(environment, 12)).verdict, "Apply");
  });

  it("asks people first, whether a window is open or not", async () => {
    const rules = { approval: { required: 1, expiresAfter: "24h" } };
    assert.equal((await judged(windowed, 12, { rules })).reason, "AwaitingApproval");
    assert.equal((await judged(windowed, 22, { rules })).reason, "AwaitingApproval");
  });

  it("asks people about a plan that waits for a window, even if nobody had to be asked within one", async () => {
    const rules = { approval: { required: 1, unless: "true", expiresAfter: "24h" } };
    const listed = { ...plan, changes: [] };
    assert.equal((await judged(windowed, 22, { rules }, listed)).verdict, "Apply");
    assert.equal((await judged(windowed, 12, { rules }, listed)).reason, "AwaitingApproval");
  });

  it("keeps a plan of an Environment that was suspended while it was made, to apply and to destroy", async () => {
    const gone = anEnvironment([], { spec: { suspend: true } });
    const suspended = anEnvironment([network], { spec: { suspend: true } });
    for (const answer of [await judged(suspended), await judged(gone, 0, { operation: "Destroy" })])
      assert.deepEqual([answer.verdict, answer.reason], ["Hold", "Suspended"]);
  });

  it("refuses what is pointless by now", async () => {
    const mortal = anEnvironment([network], { spec: { lifetime: aLifetime() } });
    assert.deepEqual([(await judged(mortal, 24)).verdict, (await judged(mortal, 24)).reason], ["Refuse", "Expired"]);
    const destroy = await judged(mortal, 0, { operation: "Destroy" });
    assert.deepEqual([destroy.verdict, destroy.reason], ["Refuse", "Superseded"]);
  });

  it("refuses what a person has cancelled, whether a leader has heard of it yet or the wish was taken back since", async () => {
    const annotations = { [ANNOTATIONS.cancel]: aRun(runSpec()).metadata.name };
    const asked = anEnvironment([network], { metadata: { annotations } });
    const heard = begun({ cancelRequestedAt: new Date(T0).toISOString() });
    for (const answer of [await judged(asked), await judged(anEnvironment([network]), 0, {}, plan, heard)])
      assert.deepEqual([answer.verdict, answer.reason], ["Refuse", "Cancelled"]);
    assert.ok(CALLED_OFF.includes("Cancelled"), "its Run ends as cancelled, and not as failed");
    const another = anEnvironment([network], { metadata: { annotations: { [ANNOTATIONS.cancel]: "another" } } });
    assert.equal((await judged(another)).verdict, "Apply");
  });

  it("does not keep for a window what a person has cancelled: nothing of it is planned again", async () => {
    const heard = begun({ cancelRequestedAt: new Date(T0).toISOString() });
    assert.equal((await judged(windowed, 12, {}, plan, heard)).reason, "Cancelled");
  });
});
