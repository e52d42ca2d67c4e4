import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { RunStatus } from "../../../operator/api/run-status.ts";
import { type Acted, act } from "../../../operator/run/act.ts";
import { decideRun } from "../../../operator/run/decide.ts";
import { podName } from "../../../operator/run/pod.ts";
import type { RunPorts } from "../../../operator/run/ports.ts";
import { permitted } from "../../../operator/storage/applying.ts";
import { changeRecord } from "../../../operator/storage/change.ts";
import { claim } from "../../../operator/storage/claims.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import { endRun } from "../../../operator/storage/run-end.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { AT, aPod as aClaimant, ENVIRONMENT_UID, NETWORK } from "../storage/claimants.ts";
import { aPod, begun, type ObservationFacts, observation, runSpec } from "./observations.ts";

const at = new Date(T0).toISOString();
const { metadata } = aRun(runSpec());
const saying = (podUid: string) => ({ [ANNOTATIONS.confirmDead]: podUid });
const command = (podUid: string) =>
  `kubectl annotate run ${metadata.name} -n team --overwrite terrarium.dev/confirm-dead=${podUid}`;

/** Its plan waited, and its second pod applies it. */
const name = podName(aRun(runSpec()), "Apply");
const applying: RunStatus = begun({
  phase: "Applying",
  heldAt: at,
  applyStartedAt: at,
  pods: [
    { name: podName(aRun(runSpec()), "Plan"), uid: "planned", createdAt: at },
    { name, uid: "applies", createdAt: at },
  ],
});
const living = (more = {}) => aPod({ metadata: { name, uid: "applies", ...more } });
const decides = (said: string, pod = living()) =>
  decideRun(observation({ status: applying, annotations: saying(said), pod }));

/** A pod that no Run has on record was told to apply, and somebody has let go of its object by hand. */
async function aWorld() {
  const store = memoryStore();
  const unrecorded = aClaimant(4, { run: metadata.name, runUid: metadata.uid, podUid: "unrecorded" });
  await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
  await changeRecord(store, NETWORK, (record) => claim(record, unrecorded, AT));
  const plan = { operation: "Destroy", planDigest: "sha256:plan", intent: undefined as never } as const;
  const asked = { ...plan, correction: false, shown: false };
  await changeRecord(store, NETWORK, (record) => permitted(record, unrecorded, asked, AT));
  const ports = {
    hasPod: async () => false,
    heldSince: async () => undefined,
    journalOf: async () => undefined,
    endRun: ({ metadata: { name, uid }, spec: { number, operation } }, end) =>
      endRun(store, NETWORK, { name, uid, number, operation, environmentUid: ENVIRONMENT_UID }, end, AT),
  } as Partial<RunPorts> as RunPorts;
  const acts = (facts: ObservationFacts): Promise<Acted> => {
    const seen = observation(facts);
    return act(seen.run, decideRun(seen), ports, AbortSignal.timeout(1_000));
  };
  return { store, acts };
}

describe("What a person says about a dead pod", () => {
  it("says nothing about the pod that comes after it: that one applies, and goes on", () => {
    const decision = decides("planned");
    assert.deepEqual(decision.type === "wait" && decision.message, "the plan is applied");
  });

  it("counts for the pod that it names", () => {
    const decision = decides("applies");
    assert.equal(decision.type === "closeDead" && decision.podUid, "applies");
  });

  it("has to name a pod: the Run says how", () => {
    for (const pod of [living(), living({ deletionTimestamp: at })]) {
      const decision = decides("true", pod);
      assert.ok(decision.type === "wait" && decision.message.includes(command("applies")), JSON.stringify(decision));
    }
  });

  it("is asked about the pod that was told to apply, where the Run's own is another, and counts for that", async () => {
    const { store, acts } = await aWorld();
    const ended = { pod: aPod({ states: ["terminated", "terminated"] }), status: begun() };
    const first = await acts({ ...ended, annotations: saying(ended.pod.metadata.uid) });
    assert.ok(first.type === "unproven" && first.message.endsWith(command("unrecorded")), JSON.stringify(first));
    assert.equal((await store.record(NETWORK))?.value.claim?.fenced, undefined);
    const second = await acts({ ...ended, annotations: saying("unrecorded") });
    assert.equal(second.type === "closed" && second.outcome.result, "Interrupted");
    assert.ok((await store.record(NETWORK))?.value.claim?.fenced !== undefined);
  });

  it("counts also where the Run is cancelled and knows no pod: that was told to apply, and never recorded", async () => {
    const { store, acts } = await aWorld();
    const asked = { metadata: { annotations: { [ANNOTATIONS.cancel]: metadata.name } } };
    const cancelled = { environment: anEnvironment([], asked), pod: undefined };
    for (const status of [undefined, begun({ phase: "AwaitingApproval", heldAt: at })]) {
      const first = await acts({ ...cancelled, status, annotations: saying("another") });
      assert.ok(first.type === "unproven" && first.message.endsWith(command("unrecorded")), JSON.stringify(first));
    }
    const second = await acts({ ...cancelled, status: undefined, annotations: saying("unrecorded") });
    assert.equal(second.type === "closed" && second.outcome.result, "Interrupted", "nobody knows what it applied");
    assert.ok((await store.record(NETWORK))?.value.claim?.fenced !== undefined);
  });
});
