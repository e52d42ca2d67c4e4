import assert from "node:assert/strict";
import fc from "fast-check";
import { FINALIZERS } from "../../../operator/api/names.ts";
import type { RunStatus } from "../../../operator/api/run-status.ts";
import { decideRun } from "../../../operator/run/decide.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { aNode, aPod, applied, interrupted, leaving, observation, runSpec } from "./observations.ts";

const MINUTE = 60_000;

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
