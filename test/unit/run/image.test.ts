import assert from "node:assert/strict";
import { FINALIZERS } from "../../../operator/api/names.ts";
import type { RunOutcome, RunStatus } from "../../../operator/api/run-status.ts";
import { decideRun } from "../../../operator/run/decide.ts";
import type { ObservedPod } from "../../../operator/run/observation.ts";
import { statusAfter } from "../../../operator/run/status.ts";
import { aRun, T0 } from "../../fakes/objects.ts";
import { aPod, begun, observation, POD_UID, runSpec } from "./observations.ts";

const IMAGE = `registry.example.com/runner@sha256:${"0a".repeat(32)}`;
const now = new Date(T0);
const outcome: RunOutcome = { result: "Applied", reason: "Applied", message: "the plan was applied" };
const closed: RunStatus = {
  ...statusAfter(observation(), { type: "closed", outcome }, now),
  ...begun({ phase: "Succeeded", outcome, finishedAt: now.toISOString() }),
};
const silent = aPod();
const leaving = aPod({ metadata: { deletionTimestamp: now.toISOString() } });

const telling = (pod: ObservedPod): ObservedPod => ({
  ...pod,
  status: {
    ...pod.status,
    containerStatuses: pod.status?.containerStatuses?.map((one) => ({ ...one, imageID: IMAGE })) ?? [],
  },
});
const seen = (status: RunStatus, pod: ObservedPod, facts: { nowMs?: number; deletionTimestamp?: string } = {}) => {
  const { nowMs = T0, ...metadata } = facts;
  return observation({ run: aRun(runSpec(), status, { finalizers: [FINALIZERS.run], ...metadata }), pod, nowMs });
};

describe("The image in the record of a Run", () => {
  it("is waited for where the result came before the kubelet's first word, and then it is let go", () => {
    assert.deepEqual(decideRun(seen(closed, silent)), { type: "await", wakeAtMs: T0 + 60_000 });

    const told = seen(closed, telling(silent));
    assert.equal(decideRun(told).type, "recordImage");
    const status = statusAfter(told, { type: "imageTold" }, now);
    assert.equal(status?.pods?.[0]?.image, IMAGE);

    assert.equal(decideRun(seen({ ...closed, ...status }, telling(silent))).type, "letGo");
  });

  it("is added to what is recorded, and takes nothing from it", () => {
    const status = statusAfter(seen(closed, telling(silent)), { type: "imageTold" }, now);
    const { pods: _, ...others } = { ...closed, ...status };
    const { pods: __, ...before } = closed;
    assert.deepEqual(others, before);
    for (const field of ["phase", "finishedAt", "conditions", "outcome"] as const)
      assert.deepEqual(status?.[field], closed[field], field);
  });

  const noLonger: readonly (readonly [string, ReturnType<typeof seen>])[] = [
    ["the pod is leaving", seen(closed, leaving)],
    ["the pod never started", seen(closed, aPod({ states: ["terminated", "terminated"] }))],
    ["the kubelet says nothing for a minute", seen(closed, silent, { nowMs: T0 + 60_000 })],
    ["the Run is being deleted", seen(closed, silent, { deletionTimestamp: now.toISOString() })],
    ["another pod than the recorded one is there", seen(closed, aPod({ metadata: { uid: "another" } }))],
  ];
  for (const [why, facts] of noLonger)
    it(`is not waited for where ${why}`, () => {
      assert.equal(decideRun(facts).type, "letGo");
    });

  it("of the pod that planned is recorded before that pod is let go", () => {
    const planPod = telling(aPod({ states: ["terminated", "terminated"] }));
    const waiting = begun({ phase: "AwaitingApproval", heldAt: now.toISOString() });
    const held = (status: RunStatus) => observation({ run: aRun(runSpec(), status), pod: undefined, planPod });
    assert.equal(decideRun(held(waiting)).type, "recordImage");

    const status = statusAfter(held(waiting), { type: "imageTold" }, now);
    assert.deepEqual(
      status?.pods?.map(({ uid, image }) => [uid, image]),
      [[POD_UID, IMAGE]],
    );
    assert.equal(decideRun(held({ ...waiting, ...status })).type, "releasePod");
  });
});
