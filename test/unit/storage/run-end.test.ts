import assert from "node:assert/strict";
import { permitted } from "../../../operator/storage/applying.ts";
import { changeRecord } from "../../../operator/storage/change.ts";
import { claim } from "../../../operator/storage/claims.ts";
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
    assert.equal((await endRun(store, NETWORK, apply(1), { ...dead, podUid: "another" }, AT)).type, "mayBeApplying");
    assert.equal((await store.record(NETWORK))?.value.claim?.fenced, undefined);
  });

  it("ends when a person answers for whatever pod it has", async () => {
    const store = await anApply();
    assert.equal((await endRun(store, NETWORK, apply(1), dead, AT)).type, "fenced");
  });
});
