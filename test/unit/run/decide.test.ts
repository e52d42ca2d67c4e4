import assert from "node:assert/strict";
import { FINALIZERS } from "../../../operator/api/names.ts";
import type { RunStatus } from "../../../operator/api/run-status.ts";
import { decideRun, type RunDecision } from "../../../operator/run/decide.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import {
  aNode,
  aPod,
  applied,
  begun,
  interrupted,
  leaving,
  type ObservationFacts,
  observation,
  runSpec,
} from "./observations.ts";

const MINUTE = 60_000;
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
