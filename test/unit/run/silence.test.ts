import assert from "node:assert/strict";
import type { RunOutcome, RunStatus } from "../../../operator/api/run-status.ts";
import type { ContainerStatus } from "../../../operator/cluster/kinds.ts";
import { decideRun } from "../../../operator/run/decide.ts";
import { outcomeOfDeath } from "../../../operator/run/ending.ts";
import type { ObservedPod } from "../../../operator/run/observation.ts";
import { podName } from "../../../operator/run/pod.ts";
import { aRun, T0 } from "../../fakes/objects.ts";
import { aPod, begun, type ObservationFacts, observation, POD_UID, runSpec } from "./observations.ts";

const MINUTE = 60_000;
const at = (minutes: number) => new Date(T0 + minutes * MINUTE).toISOString();
const DEADLINE = 90;

const progress = { step: "source", updatedAt: at(0) };
const plan: NonNullable<RunStatus["plan"]> = {
  digest: "sha256:00",
  counts: { create: 1, update: 0, replace: 0, delete: 0 },
  resources: [],
  verdict: "Apply",
};

/** What is decided after so many minutes in which the agent runs. */
const decidedAfter = (minutes: number, facts: ObservationFacts = {}) =>
  decideRun(observation({ nowMs: T0 + minutes * MINUTE, ...facts }));

function waiting(decision: ReturnType<typeof decideRun>) {
  assert.ok(decision.type === "wait");
  return decision;
}

/** Its plan has waited, and another pod is there since; one of the two has told a step at that moment. */
const secondPod = (updatedAt: string): RunStatus =>
  begun({
    plan,
    progress: { ...progress, updatedAt },
    heldAt: at(0),
    pods: [{ name: podName(aRun(runSpec()), "Apply"), uid: POD_UID, createdAt: at(0) }],
  });

/** All of its containers, in the kubelet's words. */
function inState(pod: ObservedPod, state: NonNullable<ContainerStatus["state"]>): ObservedPod {
  const containerStatuses = (pod.status?.containerStatuses ?? []).map((one) => ({ ...one, state }));
  return { ...pod, status: { ...pod.status, containerStatuses } };
}

describe("An agent of which the gateway has not told", () => {
  it("is named once two minutes have passed, with what to check, and that needs no other event", () => {
    const before = waiting(decidedAfter(1.99));
    assert.deepEqual([before.message, before.wakeAtMs], ["the plan is made", T0 + 2 * MINUTE]);
    const { message, wakeAtMs, phase } = waiting(decidedAfter(2));
    assert.match(message, /^its agent has got no work from the gateway since 2026-01-01T00:00:00/);
    assert.match(
      message,
      /may pods of this namespace reach it \(network policies, DNS\)\? See kubectl logs the-pod -n team/,
    );
    assert.deepEqual([phase, wakeAtMs], ["Planning", T0 + DEADLINE * MINUTE]);
  });

  it("is told of in the same words for as long as that lasts", () => {
    assert.equal(waiting(decidedAfter(2)).message, waiting(decidedAfter(80)).message);
  });

  it("is still given its whole time, and asked to end then", () => {
    assert.equal(decidedAfter(DEADLINE - 0.01).type, "wait");
    assert.equal(decidedAfter(DEADLINE).type, "stopPod");
  });

  it("has its time from the pod's creation on where the clock of the node is behind", () => {
    const pod = aPod({ metadata: { creationTimestamp: at(5) } });
    assert.equal(waiting(decidedAfter(6, { pod })).wakeAtMs, T0 + 7 * MINUTE);
  });

  it("is none where the kubelet does not say since when it runs, and the Run is looked at when its time is over", () => {
    const pod = inState(aPod({}), { running: { startedAt: null } });
    const decision = waiting(decidedAfter(30, { pod }));
    assert.deepEqual([decision.message, decision.wakeAtMs], ["the plan is made", T0 + DEADLINE * MINUTE]);
  });

  for (const [what, status] of Object.entries({
    "it has told its first step": begun({ progress }),
    "its plan is there": begun({ plan }),
    "its plan was approved, and the pod that applies it has told its first step": secondPod(at(1)),
    "it applies": begun({ applyStartedAt: at(0) }),
    "it has told how it ended": begun({ outcome: { result: "Interrupted", reason: "Interrupted", message: "" } }),
  } satisfies Record<string, RunStatus>))
    it(`is none where ${what}`, () => {
      assert.match(waiting(decidedAfter(30, { status })).message, /^the plan is (made|applied)$/);
    });

  it("is that of the second pod, too, of which the words of the first say nothing", () => {
    assert.match(waiting(decidedAfter(30, { status: secondPod(at(-1)) })).message, /^its agent has got no work/);
  });

  it("is none where its container does not run yet", () => {
    assert.equal(
      waiting(decidedAfter(5, { status: begun({ phase: "Starting" }), pod: aPod({ states: ["waiting"] }) })).message,
      "the pod starts",
    );
  });
});

describe("The end of a pod that has waited in vain", () => {
  /** Its agent ran from the beginning on for so many minutes. */
  const ranFor = (minutes: number, metadata: Partial<ObservedPod["metadata"]> = {}): ObservedPod =>
    terminated({ startedAt: at(0), finishedAt: at(minutes) }, metadata);

  function terminated(
    times: { readonly startedAt: string | null; readonly finishedAt: string | null },
    metadata: Partial<ObservedPod["metadata"]> = {},
  ): ObservedPod {
    const pod = aPod({ states: ["terminated", "terminated"], metadata });
    return inState(pod, { terminated: { exitCode: 1, reason: "Error", ...times } });
  }

  function endOf(pod: ObservedPod, status = begun()): RunOutcome {
    const seen = observation({ pod, status, nowMs: T0 + 200 * MINUTE });
    const decision = decideRun(seen);
    assert.ok(decision.type === "closeDead");
    return outcomeOfDeath(seen.run, undefined, decision);
  }

  it("says that its agent has never got work, and is tried again as before", () => {
    const { message, ...rest } = endOf(ranFor(DEADLINE));
    assert.match(message, /^its agent has never got work from the gateway: may pods of this namespace reach it/);
    assert.match(message, /the pod ended before anything was applied \(all of its containers have ended\)$/);
    assert.deepEqual(rest, { result: "Failed", reason: "RunnerLost", retry: "Backoff" });
  });

  it("says that the time was over for one that was heard of", () => {
    const { message, reason } = endOf(ranFor(DEADLINE), begun({ progress }));
    assert.match(message, /^its agent was still at work when its time was over: does the store take what it sends/);
    assert.equal(reason, "RunnerLost");
  });

  it("says nothing of the kind where it ended early, or is not the pod that ended", () => {
    const plain = /^the pod ended before anything was applied/;
    assert.match(endOf(ranFor(1)).message, plain);
    assert.match(endOf(ranFor(DEADLINE - 1), begun({ progress })).message, plain);
    // As of a container that the kubelet has lost sight of.
    assert.match(endOf(terminated({ startedAt: null, finishedAt: null }), begun({ progress })).message, plain);
    const confirmed = observation({
      pod: ranFor(DEADLINE, { uid: "another" }),
      annotations: { "terrarium.dev/confirm-dead": "pod-uid" },
    });
    const decision = decideRun(confirmed);
    assert.equal(decision.type === "closeDead" && decision.inVain, undefined);
  });
});
