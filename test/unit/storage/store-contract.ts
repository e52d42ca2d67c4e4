import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { emptyRecord } from "../../../operator/storage/ownership.ts";
import { RecordConflict, type StateStore, StoreCorrupt } from "../../../operator/storage/port.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";

let names = 0;

/** A record of a component that no other test uses. */
export function aRecord(facts: Partial<ComponentRecord> = {}): ComponentRecord {
  names += 1;
  const key = { namespace: "team-shop", environment: `shop-${names}`, component: "network" };
  return { ...emptyRecord(key, "env-uid", new Date("2030-01-01T00:00:00Z")), ...facts };
}

/** What every state store keeps, whatever it is made of. */
export function describesAStateStore(open: () => StateStore): void {
  it("has no record of what was never made", async () => {
    assert.equal(await open().record(aRecord().key), undefined);
  });

  it("gives back the record that was made", async () => {
    const store = open();
    const record = aRecord();
    const made = await store.createRecord(record);
    assert.deepEqual(made.value, record);
    assert.deepEqual(await store.record(record.key), made);
  });

  it("lets only one of two make a record", async () => {
    const store = open();
    const record = aRecord();
    const tries = await Promise.allSettled([store.createRecord(record), store.createRecord(record)]);
    assert.equal(tries.filter(({ status }) => status === "fulfilled").length, 1);
    const [lost] = tries.filter((result) => result.status === "rejected");
    assert.ok(lost?.reason instanceof RecordConflict);
  });

  it("lets only one of two writers win who read the same version", async () => {
    const store = open();
    const { value, version } = await store.createRecord(aRecord());
    const write = (uid: string) => store.updateRecord({ ...value, owner: { environmentUid: uid } }, version);
    const tries = await Promise.allSettled([write("a"), write("b")]);
    assert.equal(tries.filter(({ status }) => status === "fulfilled").length, 1);
    const winner = tries[0]?.status === "fulfilled" ? "a" : "b";
    assert.equal((await store.record(value.key))?.value.owner.environmentUid, winner);
  });

  it("neither updates nor deletes a record that has changed or is gone", async () => {
    const store = open();
    const { value, version } = await store.createRecord(aRecord());
    const newer = await store.updateRecord({ ...value, mayHoldObjects: true }, version);
    await assert.rejects(store.deleteRecord(value.key, version), RecordConflict);
    await store.deleteRecord(value.key, newer.version);
    assert.equal(await store.record(value.key), undefined);
    await assert.rejects(store.updateRecord(value, newer.version), RecordConflict);
    await store.createRecord(value);
    await assert.rejects(store.updateRecord(value, newer.version), RecordConflict);
  });

  it("lists the records of one environment and no other's", async () => {
    const store = open();
    const one = aRecord();
    const two = { ...one, key: { ...one.key, component: "database" } };
    await Promise.all([one, two, aRecord()].map((record) => store.createRecord(record)));
    const found = await store.recordsOf(one.key.namespace, one.key.environment);
    assert.deepEqual(found.map(({ value }) => value.key.component).sort(), ["database", "network"]);
  });

  for (const size of [0, 1, 5000, 3_000_000]) {
    it(`keeps ${size} bytes that cannot be compressed, whole`, async () => {
      const store = open();
      const { storageId } = aRecord();
      const content = randomBytes(size);
      const ref = await store.putBlob({ storageId }, "state", content);
      assert.equal(ref.size, size);
      assert.ok(content.equals(await store.getBlob({ storageId }, ref)));
    });
  }

  it("gives a blob to its owner only, and not after it was deleted", async () => {
    const store = open();
    const [mine, other] = [aRecord(), aRecord()];
    const ref = await store.putBlob(mine, "archive", Buffer.from("content"));
    await assert.rejects(store.getBlob(other, ref), StoreCorrupt);
    await store.deleteBlob(mine, ref);
    await store.deleteBlob(mine, ref);
    await assert.rejects(store.getBlob(mine, ref), StoreCorrupt);
  });

  it("refuses content that has another digest than its reference", async () => {
    const store = open();
    const { storageId } = aRecord();
    const ref = await store.putBlob({ storageId }, "state", Buffer.from("content"));
    await assert.rejects(store.getBlob({ storageId }, { ...ref, digest: "sha256:00" }), StoreCorrupt);
  });
}
