import assert from "node:assert/strict";
import { FINALIZERS } from "../../../operator/api/names.ts";
import type { RunOutcome, RunStatus } from "../../../operator/api/run-status.ts";
import { decideRun } from "../../../operator/run/decide.ts";
import type { ObservedPod } from "../../../operator/run/observation.ts";
import { podName } from "../../../operator/run/pod.ts";
import { statusAfter } from "../../../operator/run/status.ts";
import { aRun, RUNNER_IMAGE_ID, T0 } from "../../fakes/objects.ts";
import { anApproval, DIGEST } from "../approval/approvals.ts";
import { aPod, begun, observation, POD_UID, runSpec } from "./observations.ts";

const now = new Date(T0);
const outcome: RunOutcome = { result: "Applied", reason: "Applied", message: "the plan was applied" };
const closed: RunStatus = {
  ...statusAfter(observation(), { type: "closed", outcome }, now),
  ...begun({ phase: "Succeeded", outcome, finishedAt: now.toISOString() }),
};
const silent = aPod();
const leaving = aPod({ metadata: { deletionTimestamp: now.toISOString() } });

const planPod = { name: "network-4-p", uid: POD_UID, createdAt: now.toISOString() };
const applyPod = { name: podName(aRun(runSpec()), "Apply"), uid: "apply", createdAt: now.toISOString() };
/** Every field of this controller. */
const applying: RunStatus = {
  observedGeneration: 1,
  phase: "Applying",
  conditions: statusAfter(observation(), { type: "cancelling", phase: "Applying" }, now)?.conditions ?? [],
  message: "its object is gone",
  pods: [planPod, { ...applyPod, image: RUNNER_IMAGE_ID }],
  startedAt: now.toISOString(),
  heldAt: now.toISOString(),
  applyStartedAt: now.toISOString(),
  cancelRequestedAt: now.toISOString(),
  unprovenPod: "apply",
  expiresAt: now.toISOString(),
  approvals: [],
  approvalsTruncated: true,
};

const telling = (pod: ObservedPod): ObservedPod => ({
  ...pod,
  status: {
    ...pod.status,
    containerStatuses: pod.status?.containerStatuses?.map((one) => ({ ...one, imageID: RUNNER_IMAGE_ID })) ?? [],
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
    assert.equal(status?.pods?.[0]?.image, RUNNER_IMAGE_ID);

    assert.equal(decideRun(seen({ ...closed, ...status }, telling(silent))).type, "letGo");
  });

  for (const [what, status] of [
    ["that has ended", { ...applying, phase: "Failed", finishedAt: now.toISOString(), outcome }],
    ["that applies", applying],
  ] as const)
    it(`of a Run ${what} is added to what is recorded, and changes nothing else of it`, () => {
      const { pods, ...others } = statusAfter(seen(status, telling(silent)), { type: "imageTold" }, now) ?? {};
      // When the apply began is the gateway's to tell.
      const { pods: recorded = [], applyStartedAt: _, ...before } = status;
      assert.deepEqual(others, before);
      assert.deepEqual(
        pods,
        recorded.map((one) => ({ ...one, image: RUNNER_IMAGE_ID })),
      );
    });

  it("does not make words count that people said after the end", () => {
    const counts = { create: 1, update: 0, replace: 0, delete: 0 };
    const plan = { digest: DIGEST, counts, resources: [], verdict: "Hold" as const };
    const asked = runSpec({ rules: { approval: { required: 1, expiresAfter: "1h" } } });
    const run = aRun(asked, { ...closed, phase: "Failed", heldAt: now.toISOString(), plan });
    const { name, uid } = run.metadata;
    const late = observation({ run, planPod: telling(silent), approvals: [anApproval({ run: { name, uid } })] });
    assert.equal(statusAfter(late, { type: "imageTold" }, now)?.approvals, undefined);
  });

  const noLonger: readonly (readonly [string, ReturnType<typeof seen>])[] = [
    ["the pod is leaving", seen(closed, leaving)],
    ["the pod has ended without telling it", seen(closed, aPod({ states: ["terminated", "terminated"] }))],
    ["the kubelet says nothing for a minute", seen(closed, silent, { nowMs: T0 + 60_000 })],
    ["the clock was set back by hours", seen(closed, silent, { nowMs: T0 - 3_600_000 })],
    ["the Run is being deleted", seen(closed, silent, { deletionTimestamp: now.toISOString() })],
    [
      "the Run is being deleted, also where it is told",
      seen(closed, telling(silent), { deletionTimestamp: now.toISOString() }),
    ],
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
      [[POD_UID, RUNNER_IMAGE_ID]],
    );
    assert.equal(decideRun(held({ ...waiting, ...status })).type, "releasePod");
  });
});
