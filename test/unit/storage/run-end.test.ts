import assert from "node:assert/strict";
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
