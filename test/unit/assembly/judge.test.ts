import assert from "node:assert/strict";
import type { ApprovalRules } from "../../../operator/api/approval.ts";
import type { Component } from "../../../operator/api/component.ts";
import type { Drift } from "../../../operator/api/drift.ts";
import type { Environment, EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Operation } from "../../../operator/api/run.ts";
import type { RunStatus } from "../../../operator/api/run-status.ts";
import type { Window } from "../../../operator/api/time.ts";
import { judgeFor } from "../../../operator/assembly/judge.ts";
import { inputsOf } from "../../../operator/environment/desired.ts";
import { CALLED_OFF, type PlanReport } from "../../../operator/gateway/protocol.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aComponent, aLifetime, anEnvironment, aRecord, aRun, CATALOGUE, T0 } from "../../fakes/objects.ts";
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

/** Being deleted, which is an edit like any other: its generation counts on. */
const going = anEnvironment([aComponent("network")], {
  metadata: { generation: 2, deletionTimestamp: "2026-01-01T00:00:00Z" },
});

const evaluate = async () => ({ holds: true });

const judged = (
  environment: Environment,
  hour = 0,
  more: Parameters<typeof runSpec>[0] = {},
  report = plan,
  status?: RunStatus,
  record?: ComponentRecord,
) => {
  const client = {
    find: async () => environment as never,
    listAll: () => assert.fail("a fresh plan rests on nothing"),
  };
  const clock = { now: () => new Date(T0 + hour * HOUR_MS) };
  const circumstances = { phase: "Plan", signal: new AbortController().signal, record } as const;
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

  describe("where the rules have changed since its Run was made", () => {
    const edited = (spec: Partial<EnvironmentSpec>, own: Partial<Component> = {}) =>
      anEnvironment([aComponent("network", own)], { spec, metadata: { generation: 2 } });
    const asking: ApprovalRules = { required: 1, planExpiresAfter: "24h" };
    const tightened: readonly (readonly [what: string, environment: Environment, operation: Operation])[] = [
      ["people must approve by now", edited({ approval: asking }), "Apply"],
      ["something is protected by now", edited({ protect: ["aws_db_instance.*"] }), "Apply"],
      ["the component itself protects something by now", edited({}, { protect: ["*"] }), "Apply"],
      ["only so much may be deleted by now", edited({ maxDeletes: 0 }), "Apply"],
      ["people must approve by now", { ...going, spec: { ...going.spec, approval: asking } }, "Destroy"],
      ["something is protected by now", { ...going, spec: { ...going.spec, protect: ["*"] } }, "Destroy"],
    ];
    for (const [what, environment, operation] of tightened)
      it(`refuses a plan to ${operation.toLowerCase()} where ${what}, and another is made by the new ones`, async () => {
        const { verdict, reason, message } = await judged(environment, 0, { operation });
        assert.deepEqual([verdict, reason], ["Refuse", "Superseded"]);
        assert.equal(message, "the rules for plans have changed");
      });

    for (const [what, drift] of [
      ["is only to be reported by now", { interval: "1h" }],
      ["is not looked for any more", undefined],
      ["is looked for with other rules by now", { interval: "1h", action: "Correct", ignore: [{ address: "a.b" }] }],
    ] as const)
      it(`refuses to correct drift that ${what}`, async () => {
        const found = {
          number: 1,
          run: "look",
          since: "",
          counts: plan.counts,
          addresses: [],
          digest: "",
          ignoreDigest: "none",
        };
        const record = aRecord("network", { drift: found });
        const environment = edited(drift === undefined ? {} : { drift: drift as Drift });
        const asked = { cause: { type: "DriftFound" as const } };
        const { verdict, reason } = await judged(environment, 0, asked, plan, undefined, record);
        assert.deepEqual([verdict, reason], ["Refuse", "Superseded"]);
      });

    describe("a plan that brings drift back", () => {
      const correcting = { drift: { interval: "1h", action: "Correct" } as Drift };
      const judgedAfter = (spec: Partial<EnvironmentSpec>) => {
        const inputs = inputsOf(edited(correcting), network, undefined);
        const asked = { cause: { type: "DriftFound" as const }, inputs: { ...inputs, revision: "1".repeat(40) } };
        const environment = edited(correcting);
        return judged({ ...environment, spec: { ...environment.spec, ...spec } }, 0, asked);
      };

      it("is refused where its component is declared in another way since: that may be just what is there", async () => {
        const { verdict, reason, message } = await judgedAfter({ variables: [{ name: "size", value: 2 }] });
        assert.deepEqual([verdict, reason, message], ["Refuse", "Superseded", "changed: variable size"]);
      });

      it("goes on where the edit was about something else", async () => {
        assert.equal((await judgedAfter({ components: [network, aComponent("other")] })).verdict, "Apply");
        assert.equal((await judgedAfter({ engine: { name: "terraform" } as never })).verdict, "Apply");
      });
    });

    it("goes on where an edit has left them as they were, or the Run was made for a newer spec than this one", async () => {
      const renamed = edited({ variables: [{ name: "edited", value: 1 }] });
      assert.equal((await judged(renamed)).verdict, "Apply");
      assert.equal((await judged(going, 0, { operation: "Destroy" })).verdict, "Apply");
      const removed = anEnvironment([aComponent("other")], { metadata: { generation: 2 } });
      const record = aRecord("network", { declaredRules: { protect: ["*"] } });
      const destroy = { operation: "Destroy" as const, rules: { protect: ["*"] } };
      assert.equal((await judged(removed, 0, destroy, plan, undefined, record)).verdict, "Apply");
      const older = anEnvironment([network], { spec: { approval: asking }, metadata: { generation: 0 } });
      assert.equal((await judged(older)).verdict, "Apply");
    });
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
