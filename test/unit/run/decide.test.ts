import assert from "node:assert/strict";
import fc from "fast-check";
import { FINALIZERS } from "../../../operator/api/names.ts";
import type { RunOutcome, RunStatus } from "../../../operator/api/run-status.ts";
import { decideRun, type RunDecision } from "../../../operator/run/decide.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { aNode, aPod, begun, type ObservationFacts, observation, runSpec } from "./observations.ts";

const MINUTE = 60_000;
const applied: RunOutcome = { result: "Applied", reason: "Applied", message: "" };
const interrupted: RunOutcome = { result: "Interrupted", reason: "Interrupted", message: "the engine was killed" };
const leaving = { deletionTimestamp: "2026-01-01T00:00:00Z" };
const held = (finalizers: readonly string[], status: RunStatus) => aRun(runSpec(), status, { finalizers });
const starting = begun({ phase: "Starting" });
const young = aPod({ states: ["waiting", "waiting"] });

interface Row {
  readonly when: string;
  readonly facts: ObservationFacts;
  readonly decides: RunDecision["type"];
  readonly and?: Partial<Record<string, unknown>>;
}

const rows: readonly Row[] = [
  { when: "it is new and there is a free place", facts: { status: undefined, pod: undefined }, decides: "createPod" },
  {
    when: "it is new and every place is taken",
    facts: { status: undefined, pod: undefined, freePlaces: 0 },
    decides: "wait",
    and: { phase: "Pending" },
  },
  {
    when: "a pod under its name exists and is not recorded, whatever else is true: it is looked at first",
    facts: { status: undefined, freePlaces: 0, environment: undefined },
    decides: "createPod",
  },
  {
    when: "its Environment is gone before it has begun",
    facts: { status: undefined, pod: undefined, environment: undefined },
    decides: "cancel",
  },
  {
    when: "its Environment is being deleted before it has begun",
    facts: {
      status: undefined,
      pod: undefined,
      environment: anEnvironment([aComponent("network")], { metadata: leaving }),
    },
    decides: "cancel",
  },
  {
    when: "another Environment has the name of its own",
    facts: {
      status: undefined,
      pod: undefined,
      environment: anEnvironment([aComponent("network")], { metadata: { uid: "another" } }),
    },
    decides: "cancel",
  },
  {
    when: "it destroys for an Environment that is being deleted",
    facts: {
      status: undefined,
      pod: undefined,
      spec: { operation: "Destroy" },
      environment: anEnvironment([aComponent("network")], { metadata: leaving }),
    },
    decides: "createPod",
  },
  {
    when: "its result has come",
    facts: { status: begun({ outcome: applied }) },
    decides: "close",
    and: { outcome: applied },
  },
  {
    when: "its pod says that it was interrupted, and may still run",
    facts: { status: begun({ outcome: interrupted }) },
    decides: "wait",
  },
  {
    when: "its pod said that it was interrupted, and is dead",
    facts: { status: begun({ outcome: interrupted }), pod: aPod({ states: ["terminated", "terminated"] }) },
    decides: "close",
  },
  { when: "its pod starts", facts: { status: starting, pod: young }, decides: "wait", and: { phase: "Starting" } },
  { when: "its agent runs", facts: { status: starting }, decides: "wait", and: { phase: "Planning" } },
  {
    when: "the gateway let it apply",
    facts: { status: begun({ applyStartedAt: new Date(T0).toISOString() }) },
    decides: "wait",
    and: { phase: "Applying" },
  },
  {
    when: "its pod is dead without a result",
    facts: { pod: aPod({ states: ["terminated", "terminated"] }) },
    decides: "closeDead",
    and: { proven: true },
  },
  { when: "its node is gone", facts: { node: undefined }, decides: "closeDead", and: { proven: true } },
  { when: "its pod's object is gone", facts: { pod: undefined }, decides: "closeDead", and: { proven: false } },
  {
    when: "another pod has taken the name of its own",
    facts: { pod: aPod({ metadata: { uid: "another" } }) },
    decides: "closeDead",
    and: { proven: false },
  },
  {
    when: "its pod has not started within ten minutes",
    facts: { status: starting, pod: young, nowMs: T0 + 10 * MINUTE },
    decides: "stopPod",
  },
  {
    when: "its pod has still a moment to start",
    facts: { status: starting, pod: young, nowMs: T0 + 10 * MINUTE - 1 },
    decides: "wait",
    and: { wakeAtMs: T0 + 10 * MINUTE },
  },
  {
    when: "it takes longer than its timeouts and their slack",
    facts: { nowMs: T0 + 90 * MINUTE },
    decides: "stopPod",
  },
  {
    when: "it still has time",
    facts: { nowMs: T0 + 90 * MINUTE - 1 },
    decides: "wait",
    and: { wakeAtMs: T0 + 90 * MINUTE },
  },
  {
    when: "its pod was asked to end, although its time is over: that is not asked twice",
    facts: {
      status: begun({ startedAt: new Date(T0 - 500 * MINUTE).toISOString() }),
      pod: aPod({ metadata: leaving }),
    },
    decides: "wait",
  },
  {
    when: "its node is silent: nothing is proven",
    facts: { pod: aPod({ phase: "Unknown" }), node: aNode(["node.kubernetes.io/unreachable"]) },
    decides: "wait",
  },
  {
    when: "it is closed and its pod is held",
    facts: { run: held([], begun({ phase: "Succeeded", outcome: applied })) },
    decides: "letGo",
  },
  {
    when: "it is closed and a pod of its own was made after its end",
    facts: { run: held([], { phase: "Failed", observedGeneration: 1 }), pod: aPod() },
    decides: "letGo",
  },
  {
    when: "it is closed and is held itself",
    facts: { run: held([FINALIZERS.run], begun({ phase: "Failed" })), pod: undefined },
    decides: "letGo",
    and: { pod: undefined },
  },
  {
    when: "it is closed, and a foreign pod has the name of its own: that one is not touched",
    facts: {
      run: held([FINALIZERS.run], begun({ phase: "Failed" })),
      pod: aPod({ metadata: { uid: "another", ownerReferences: [] } }),
    },
    decides: "letGo",
    and: { pod: undefined },
  },
  {
    when: "it is closed and nothing is held",
    facts: { run: held([], begun({ phase: "Interrupted" })), pod: aPod({ metadata: { finalizers: [] } }) },
    decides: "rest",
  },
];

describe("What is done about a Run", () => {
  for (const { when, facts, decides, and = {} } of rows) {
    it(`${decides} when ${when}`, () => {
      const decision: Record<string, unknown> = { ...decideRun(observation(facts)) };
      assert.equal(decision.type, decides);
      for (const [field, value] of Object.entries(and)) assert.deepEqual(decision[field], value, field);
    });
  }

  it("says in Kubernetes' words why its pod does not start", () => {
    const message = (pod: ReturnType<typeof aPod>) => {
      const decision = decideRun(observation({ status: starting, pod }));
      return decision.type === "wait" ? decision.message : decision.type;
    };
    const unscheduled = { type: "PodScheduled", status: "False", message: "0/1 nodes are available" };
    assert.match(message(aPod({ node: undefined, states: [], conditions: [unscheduled] })), /scheduled: 0\/1 nodes/);
    assert.match(
      message(aPod({ states: [{ waiting: "ImagePullBackOff" }, "waiting"] })),
      /agent: ImagePullBackOff: said/,
    );
    assert.equal(message(young), "the pod starts");
  });

  it("takes what the pod did not start for along, when it dies there", () => {
    const status = begun({ phase: "Starting", message: "the pod cannot be scheduled: 0/1" });
    const pod = aPod({ node: undefined, states: [], metadata: leaving });
    const decision = decideRun(observation({ status, pod, node: undefined }));
    assert.equal(decision.type === "closeDead" && decision.trouble, "the pod cannot be scheduled: 0/1");
  });
});

const anyState = fc.constantFrom("running" as const, "terminated" as const, "OOMKilled" as const, "waiting" as const);
const anyPod = fc
  .record({
    uid: fc.constantFrom("pod-uid", "another"),
    node: fc.constantFrom("node-1", undefined),
    states: fc.array(anyState, { maxLength: 3 }),
    phase: fc.constantFrom("Pending", "Running", "Failed", "Succeeded", "Unknown"),
    leaves: fc.boolean(),
    finalizers: fc.subarray([FINALIZERS.pod, "other"]),
  })
  .map(({ uid, node, states, phase, leaves, finalizers }) =>
    aPod({ node, states, phase, metadata: { uid, finalizers, ...(leaves ? leaving : {}) } }),
  );
const anyTime = fc.constantFrom(undefined, "", "rubbish", new Date(T0).toISOString());
const anyStatus: fc.Arbitrary<RunStatus | undefined> = fc.option(
  fc
    .record({
      phase: fc.constantFrom(
        undefined,
        ...([
          "Pending",
          "Starting",
          "Planning",
          "Applying",
          "Succeeded",
          "Failed",
          "Interrupted",
          "Cancelled",
        ] as const),
      ),
      recorded: fc.boolean(),
      outcome: fc.constantFrom(undefined, applied, interrupted),
      startedAt: anyTime,
      applyStartedAt: anyTime,
      message: fc.option(fc.string(), { nil: undefined }),
    })
    .map(({ recorded, ...rest }) => {
      const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
      const pods = recorded ? { pods: [{ name: "the-pod", uid: "pod-uid", createdAt: "" }] } : {};
      return { observedGeneration: 1, ...known, ...pods } as RunStatus;
    }),
  { nil: undefined },
);

const anyObservation = fc
  .record({
    status: anyStatus,
    operation: fc.constantFrom("Apply" as const, "Destroy" as const),
    environment: fc.constantFrom(
      undefined,
      anEnvironment([aComponent("network")]),
      anEnvironment([aComponent("network")], { metadata: leaving }),
    ),
    pod: fc.option(anyPod, { nil: undefined }),
    node: fc.constantFrom(undefined, aNode(), aNode(["node.kubernetes.io/out-of-service"])),
    freePlaces: fc.integer({ min: -3, max: 3 }),
    nowMs: fc.integer({ min: T0, max: T0 + 1_000 * MINUTE }),
    finalizers: fc.subarray([FINALIZERS.run, "other"]),
  })
  .map(({ status, operation, finalizers, ...rest }) =>
    observation({ ...rest, run: aRun(runSpec({ operation }), status, { finalizers }) }),
  );

describe("For any observation of a Run", () => {
  it("there is exactly one decision, and the same twice", () => {
    fc.assert(
      fc.property(anyObservation, (seen) => assert.deepEqual(decideRun(seen), decideRun(seen))),
      { numRuns: 500 },
    );
  });

  it("a pod is created only where none is recorded, and an open Run ends only by its result, by death, or before it began", () => {
    fc.assert(
      fc.property(anyObservation, (seen) => {
        const decision = decideRun(seen);
        const recorded = seen.run.status?.pods?.[0];
        if (decision.type === "createPod") assert.equal(recorded, undefined);
        if (decision.type === "close" && recorded !== undefined) assert.ok(seen.run.status?.outcome !== undefined);
        if (decision.type === "stopPod") assert.equal(decision.pod.metadata.uid, recorded?.uid);
        if (decision.type === "letGo")
          for (const pod of decision.pods) assert.equal(pod.metadata.ownerReferences?.[0]?.uid, seen.run.metadata.uid);
      }),
      { numRuns: 500 },
    );
  });

  it("death is never called proven while the pod's object is gone and nobody says so", () => {
    fc.assert(
      fc.property(anyObservation, (seen) => {
        const decision = decideRun({ ...seen, pod: undefined, node: undefined });
        if (decision.type === "closeDead") assert.equal(decision.proven, false);
      }),
      { numRuns: 300 },
    );
  });
});
