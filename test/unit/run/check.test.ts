import assert from "node:assert/strict";
import { ANNOTATIONS, FINALIZERS } from "../../../operator/api/names.ts";
import { type RunOutcome, runStatus } from "../../../operator/api/run-status.ts";
import { act } from "../../../operator/run/act.ts";
import { decideRun, type RunDecision } from "../../../operator/run/decide.ts";
import { podFor } from "../../../operator/run/pod.ts";
import type { RunPorts } from "../../../operator/run/ports.ts";
import { statusAfter } from "../../../operator/run/status.ts";
import { anEnvironment, aRun, ended, T0 } from "../../fakes/objects.ts";
import { aPod, type ObservationFacts, observation, runSpec } from "./observations.ts";

const MINUTE = 60_000;
const signal = new AbortController().signal;
const leaving = { deletionTimestamp: "2026-01-01T00:00:00Z" };
const made = { creationTimestamp: new Date(T0).toISOString() };

/** A Check, of which nothing but its spec is recorded before its end. */
const seen = (facts: ObservationFacts) =>
  observation({ status: undefined, ...facts, spec: { operation: "Check", cause: { type: "Drift" }, ...facts.spec } });

interface Row {
  readonly when: string;
  readonly facts: ObservationFacts;
  readonly decides: RunDecision["type"];
  readonly as?: Partial<RunOutcome>;
}

const rows: readonly Row[] = [
  { when: "it is new and a place is free", facts: { pod: undefined }, decides: "createPod" },
  { when: "it is new and every place is taken", facts: { pod: undefined, freePlaces: 0 }, decides: "await" },
  { when: "its pod works", facts: { pod: aPod({ metadata: made }) }, decides: "await" },
  {
    when: "its pod starts",
    facts: { pod: aPod({ states: ["waiting", "waiting"], metadata: made }) },
    decides: "await",
  },
  {
    when: "it has told how it ended",
    facts: { run: ended(aRun(runSpec({ operation: "Check" })), { result: "Drifted" }) },
    decides: "rest",
  },
  {
    when: "a change of the component has begun",
    facts: { isOvertaken: true },
    decides: "drop",
    as: { result: "Cancelled", reason: "Superseded" },
  },
  {
    when: "a change of the component has begun before its own pod",
    facts: { isOvertaken: true, pod: undefined },
    decides: "drop",
    as: { result: "Cancelled", reason: "Superseded" },
  },
  {
    when: "a person cancels it",
    facts: {
      environment: anEnvironment([], {
        metadata: { annotations: { [ANNOTATIONS.cancel]: aRun(runSpec({ operation: "Check" })).metadata.name } },
      }),
    },
    decides: "drop",
    as: { result: "Cancelled", reason: "Cancelled" },
  },
  {
    when: "its component has another name by now",
    facts: { annotations: { [ANNOTATIONS.movedTo]: "net" } },
    decides: "drop",
    as: { result: "Cancelled", reason: "Superseded" },
  },
  {
    when: "its Environment is being deleted",
    facts: { environment: anEnvironment([], { metadata: leaving }) },
    decides: "drop",
    as: { result: "Cancelled", reason: "Destroying" },
  },
  { when: "its Environment is gone", facts: { environment: undefined }, decides: "drop", as: { result: "Cancelled" } },
  {
    when: "its pod has ended without a word",
    facts: { pod: aPod({ states: ["terminated", "terminated"] }) },
    decides: "drop",
    as: { result: "Failed", reason: "RunnerLost" },
  },
  {
    when: "the kubelet has evicted its pod",
    facts: { pod: aPod({ states: ["terminated", "terminated"], reason: "Evicted", message: "low on disk" }) },
    decides: "drop",
    as: { message: "the pod ended before it had told what it found; the kubelet says Evicted: low on disk" },
  },
  {
    when: "its pod was deleted",
    facts: { pod: aPod({ metadata: leaving }) },
    decides: "drop",
    as: { result: "Failed", reason: "RunnerLost" },
  },
  {
    when: "its engine had not enough memory",
    facts: { pod: aPod({ states: ["running", "OOMKilled"] }) },
    decides: "drop",
    as: { result: "Failed", reason: "OutOfMemory" },
  },
  {
    when: "its pod does not start within ten minutes",
    facts: { pod: aPod({ states: ["waiting", { waiting: "ErrImagePull" }], metadata: made }), nowMs: T0 + 10 * MINUTE },
    decides: "drop",
    as: { result: "Failed", reason: "PodUnschedulable", message: "container engine: ErrImagePull: said the kubelet" },
  },
  {
    when: "it takes longer than its plan may",
    facts: { pod: aPod({ metadata: made }), nowMs: T0 + 20 * MINUTE },
    decides: "drop",
    as: { result: "Failed", reason: "TimedOut" },
  },
  {
    when: "somebody else's pod has its name",
    facts: { pod: aPod({ metadata: { ownerReferences: [] } }) },
    decides: "createPod",
  },
];

describe("A Check", () => {
  for (const { when, facts, decides, as } of rows) {
    it(`is answered with "${decides}" when ${when}`, () => {
      const decision = decideRun(seen(facts));
      assert.equal(decision.type, decides);
      const outcome = decision.type === "drop" ? decision.outcome : {};
      for (const [field, value] of Object.entries(as ?? {}))
        assert.equal(outcome[field as keyof typeof outcome], value);
    });
  }

  it("comes back when its pod has had the time that it may take", () => {
    const decision = decideRun(seen({ pod: aPod({ metadata: made }) }));
    assert.equal(decision.type === "await" && decision.wakeAtMs, T0 + 20 * MINUTE);
  });

  it("ends with the scheduler's words, as many of them as a status takes", () => {
    const taints = Array.from(
      { length: 16 },
      (_, at) => `9 node(s) had untolerated taint {example.com/team: payments-${at}}`,
    );
    const message = `0/180 nodes are available: ${taints.join(", ")}`;
    const conditions = [{ type: "PodScheduled", status: "False", message }];
    const observed = seen({
      pod: aPod({ phase: "Pending", states: [], conditions, metadata: made }),
      nowMs: T0 + 10 * MINUTE,
    });
    const decision = decideRun(observed);
    assert.ok(decision.type === "drop");
    assert.match(decision.outcome.message, /^the pod cannot be scheduled: 0\/180 nodes are available: 9 node.*…$/);
    const status = statusAfter(observed, { type: "closed", outcome: decision.outcome }, new Date(observed.nowMs));
    assert.equal(runStatus.safeParse(status).success, true);
  });

  const run = aRun(runSpec({ operation: "Check", cause: { type: "Drift" } }));

  it("has a pod that nothing holds, since nothing has to be known of its end", () => {
    const settings = { gatewayUrl: "https://gateway", gatewayCa: "PEM", order: "signed" };
    assert.equal(podFor(run, "Plan", settings).metadata.finalizers, undefined);
    assert.deepEqual(podFor(aRun(runSpec()), "Plan", settings).metadata.finalizers, [FINALIZERS.pod]);
  });

  it("asks the cluster for its pod and for nothing else", async () => {
    const ports = { makePod: async () => ({ type: "made", pod: aPod() }) } satisfies Partial<RunPorts>;
    const acted = await act(run, { type: "createPod" }, ports as unknown as RunPorts, signal);
    assert.equal(acted.type, "nothing");
  });

  it("ends its pod when it is dropped, unless that has ended, and asks the store for nothing", async () => {
    const stopped: string[] = [];
    const ports = { stopPod: async ({ metadata }) => void stopped.push(metadata.name) } satisfies Partial<RunPorts>;
    const outcome: RunOutcome = { result: "Cancelled", reason: "Superseded", message: "" };
    for (const pod of [
      aPod(),
      aPod({ states: ["terminated", "terminated"] }),
      aPod({ metadata: leaving }),
      undefined,
    ]) {
      const acted = await act(run, { type: "drop", outcome, pod }, ports as unknown as RunPorts, signal);
      assert.deepEqual(acted, { type: "closed", outcome });
    }
    assert.deepEqual(stopped, ["the-pod"]);
  });

  for (const made of [
    { type: "rightMissing", message: "cannot create pods" },
    { type: "hindered", webhook: "pods.example.com", error: new Error("cannot create pods") },
  ] as const)
    it(`fails its round, and nothing else, where nobody refuses its pod and it cannot be made (${made.type})`, async () => {
      const ports = { makePod: async () => made } satisfies Partial<RunPorts>;
      const acted = act(run, { type: "createPod" }, ports as unknown as RunPorts, signal);
      await assert.rejects(acted, /cannot create pods/);
    });

  it("ends as failed where Kubernetes refuses its pod", async () => {
    const ports = {
      makePod: async () => ({ type: "rejected", message: "exceeded quota" }),
    } satisfies Partial<RunPorts>;
    const acted = await act(run, { type: "createPod" }, ports as unknown as RunPorts, signal);
    assert.deepEqual(acted.type === "closed" && [acted.outcome.result, acted.outcome.reason], [
      "Failed",
      "PodRejected",
    ]);
  });
});
