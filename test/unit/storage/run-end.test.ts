import assert from "node:assert/strict";
import { permitted } from "../../../operator/storage/applying.ts";
import { changeRecord } from "../../../operator/storage/change.ts";
import { claim } from "../../../operator/storage/claims.ts";
import { held, mayBeHeld } from "../../../operator/storage/holding.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import { endRun } from "../../../operator/storage/run-end.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { AT, aPod, ENVIRONMENT_UID, fencedRun, NETWORK } from "./claimants.ts";

const apply = (number: number) => ({
  ...fencedRun(aPod(number)),
  operation: "Apply" as const,
  environmentUid: ENVIRONMENT_UID,
});
const dead = { why: "all of its containers have ended", proven: true };

describe("A Run that ends before there is any record", () => {
  it("keeps out its own claim that is still on its way, and lets the next Run claim", async () => {
    const store = memoryStore();
    assert.equal((await endRun(store, NETWORK, apply(1), dead, AT)).type, "fenced");
    await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
    const record = (await store.record(NETWORK))?.value;
    assert.ok(record !== undefined);
    assert.throws(() => claim(record, aPod(1), AT), { code: "AlreadyClaimed" });
    assert.equal(claim(record, aPod(2), AT).answer.number, 2);
  });

  it("makes no record where it was to destroy: that would say that nothing is left", async () => {
    const store = memoryStore();
    await endRun(store, NETWORK, { ...apply(1), operation: "Destroy" }, dead, AT);
    assert.deepEqual(store.records(), []);
  });

  it("makes no record where its Environment is gone: nobody would forget it, and it would be in the way of the next one", async () => {
    const store = memoryStore();
    await endRun(store, NETWORK, { ...apply(1), isOrphaned: async () => true }, dead, AT);
    assert.deepEqual(store.records(), []);
    await endRun(store, NETWORK, { ...apply(1), isOrphaned: async () => false }, dead, AT);
    assert.equal(store.records().length, 1);
  });

  it("makes no record where its result has come, since no claim can be on its way", async () => {
    const store = memoryStore();
    await endRun(store, NETWORK, apply(1), { ...dead, reported: true }, AT);
    assert.deepEqual(store.records(), []);
  });
});

describe("A Run that may be applying", () => {
  const pod = aPod(1);

  /** Its pod has been told to apply, and nothing has been heard of it since. */
  async function anApply() {
    const store = memoryStore();
    await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
    await changeRecord(store, NETWORK, (record) => claim(record, pod, AT));
    const plan = {
      operation: "Destroy",
      planDigest: "sha256:plan",
      intent: undefined as never,
      correction: false,
      shown: false,
    } as const;
    await changeRecord(store, NETWORK, (record) => permitted(record, pod, plan, AT));
    return store;
  }

  it("ends on proof that this very pod is dead", async () => {
    const store = await anApply();
    assert.equal((await endRun(store, NETWORK, apply(1), { ...dead, podUid: pod.podUid }, AT)).type, "fenced");
  });

  it("does not end on proof that another pod of its name is dead: somebody had let go of the first one by hand", async () => {
    const store = await anApply();
    const end = await endRun(store, NETWORK, apply(1), { ...dead, podUid: "another" }, AT);
    assert.deepEqual(end, { type: "mayBeApplying", podUid: pod.podUid });
    assert.equal((await store.record(NETWORK))?.value.claim?.fenced, undefined);
  });

  it("does not end without proof because its agent has lost the engine, and said so: that may be at work", async () => {
    for (const [result, type] of [
      ["Interrupted", "mayBeApplying"],
      ["Failed", "fenced"],
    ] as const) {
      const store = await anApply();
      const outcome = { result, reason: "EngineLost", message: "" };
      const lastResult = { runUid: pod.runUid, podUid: pod.podUid, outcome, at: AT.toISOString() };
      await changeRecord(store, NETWORK, (record) => ({ next: { ...record, lastResult }, answer: undefined }));
      const end = await endRun(store, NETWORK, apply(1), { why: "nobody knows", proven: false }, AT);
      assert.equal(end.type, type, result);
    }
  });

  it("ends when a person answers for this very pod, whatever is known of another", async () => {
    const end = async (more: object) =>
      (await endRun(await anApply(), NETWORK, apply(1), { ...dead, ...more }, AT)).type;
    assert.equal(await end({ podUid: "another", saidDead: pod.podUid }), "fenced");
    assert.equal(await end({ proven: false, saidDead: pod.podUid }), "fenced");
  });

  it("does not end when a person has answered for another pod", async () => {
    const end = async (more: object) =>
      (await endRun(await anApply(), NETWORK, apply(1), { ...dead, ...more }, AT)).type;
    assert.equal(await end({ podUid: "another", saidDead: "another" }), "mayBeApplying");
    assert.equal(await end({ proven: false, saidDead: "another" }), "mayBeApplying");
  });
});

describe("A Run whose state another Environment has adopted", () => {
  const newOwner = "new-owner";
  const waiting = aPod(1, { environmentUid: newOwner, run: "new-1", runUid: "new-1" });
  const rejected = { why: "its Environment is gone", proven: false, rejected: true };

  /** A plan of that pod waits. */
  async function hold(store: ReturnType<typeof memoryStore>, pod: typeof waiting) {
    await changeRecord(store, NETWORK, (record) => claim(record, pod, AT));
    await changeRecord(store, NETWORK, (record) => mayBeHeld(record, pod, { digest: "sha256:plan" } as never));
    const { storageId } = await recordOf(store);
    const bundle = await store.putBlob({ storageId }, "plan", Buffer.from(pod.run));
    await changeRecord(store, NETWORK, (record) => held(record, pod, bundle, AT));
  }

  async function recordOf(store: ReturnType<typeof memoryStore>) {
    const record = (await store.record(NETWORK))?.value;
    assert.ok(record !== undefined);
    return record;
  }

  const adopt = (store: ReturnType<typeof memoryStore>) =>
    ensureRecord(store, NETWORK, newOwner, { adoptUid: ENVIRONMENT_UID });

  it("ends without a trace there: the new owner's plan is applied when it is approved, whatever the numbers", async () => {
    const store = memoryStore();
    await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
    await adopt(store);
    await hold(store, waiting);
    const cutOff = { run: "new-0", number: 1, desiredDigest: "d", at: AT.toISOString() };
    await changeRecord(store, NETWORK, (record) => ({ next: { ...record, cutOff }, answer: undefined }));
    const before = await recordOf(store);
    const end = await endRun(store, NETWORK, apply(20), rejected, AT);
    assert.equal(end.type, "fenced");
    assert.deepEqual(await recordOf(store), before);
    const approved = { ...waiting, phase: "Apply", pod: "new-1-a", podUid: "second" } as const;
    assert.equal(claim(await recordOf(store), approved, AT).answer.podUid, "second");
  });

  it("takes along its own plan that waited", async () => {
    const store = memoryStore();
    await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
    await hold(store, aPod(20));
    await adopt(store);
    await endRun(store, NETWORK, apply(20), rejected, AT);
    const { held, claim } = await recordOf(store);
    assert.deepEqual([held, claim, store.blobIds()], [undefined, undefined, []]);
  });

  it("keeps to the rules where the claim is its own still", async () => {
    const store = memoryStore();
    await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
    await changeRecord(store, NETWORK, (record) => claim(record, aPod(20), AT));
    assert.equal((await adopt(store)).type, "inUse");
    await changeRecord(store, NETWORK, (record) => ({
      next: { ...record, owner: { environmentUid: newOwner } },
      answer: undefined,
    }));
    await endRun(store, NETWORK, apply(20), dead, AT);
    assert.ok((await recordOf(store)).claim?.fenced);
  });
});
