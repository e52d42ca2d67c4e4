import assert from "node:assert/strict";
import type { JournalEntry } from "../../../operator/gateway/protocol.ts";
import { changeRecord } from "../../../operator/storage/change.ts";
import { claim } from "../../../operator/storage/claims.ts";
import { appendJournal, readJournal } from "../../../operator/storage/journal.ts";
import { fence } from "../../../operator/storage/locking.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import { isRefused } from "../../../operator/storage/refusal.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { AT, aPod, ENVIRONMENT_UID, fencedRun, NETWORK } from "./claimants.ts";

const entry = (facts: Partial<JournalEntry> & { readonly address: string }): JournalEntry => ({
  at: AT.toISOString(),
  event: "apply_complete",
  action: "create",
  ...facts,
});
const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) =>
    entry({ address: `a.r[${from + at}]`, idKey: "id", idValue: `${from + at}` }),
  );

async function aClaimedStore() {
  const store = memoryStore();
  await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
  await changeRecord(store, NETWORK, (record) => claim(record, aPod(1), AT));
  const read = async () => {
    const found = await store.record(NETWORK);
    assert.ok(found);
    return readJournal(store, found.value, found.value.journal);
  };
  return { store, read };
}

describe("the journal of a Run", () => {
  it("keeps ten thousand entries in order, in few blobs", async () => {
    const { store, read } = await aClaimedStore();
    for (let from = 0; from < 10_000; from += 500) await appendJournal(store, aPod(1), from, numbered(from, 500));
    const entries = await read();
    assert.deepEqual(entries, numbered(0, 10_000));
    assert.ok(store.blobIds().length <= 40, `${store.blobIds().length} blobs`);
  });

  it("recognises what it has, and refuses a gap", async () => {
    const { store, read } = await aClaimedStore();
    await appendJournal(store, aPod(1), 0, numbered(0, 3));
    await appendJournal(store, aPod(1), 0, numbered(0, 3));
    await appendJournal(store, aPod(1), 1, numbered(1, 4));
    assert.deepEqual(await read(), numbered(0, 5));
    await assert.rejects(appendJournal(store, aPod(1), 7, numbered(7, 1)), (error) => isRefused(error, "BadRequest"));
  });

  it("loses nothing of an agent whose disk was full: after each restart it knows less than it had sent", async () => {
    const { store, read } = await aClaimedStore();
    const [first, ...unwritten] = numbered(0, 3);
    const [second, third, fourth] = numbered(3, 3);
    assert.ok(first && second && third && fourth);
    await appendJournal(store, aPod(1), 0, [first, ...unwritten]);
    await appendJournal(store, aPod(1), 0, [first, second]);
    await appendJournal(store, aPod(1), 0, [first, second, third]);
    await appendJournal(store, aPod(1), 3, [fourth]);
    assert.deepEqual(await read(), numbered(0, 6));
  });

  it("loses and doubles nothing when two batches come at once", async () => {
    const { store, read } = await aClaimedStore();
    const send = () => appendJournal(store, aPod(1), 0, numbered(0, 2));
    const tries = await Promise.allSettled([send(), send()]);
    assert.ok(tries.some(({ status }) => status === "fulfilled"));
    await send();
    assert.deepEqual(await read(), numbered(0, 2));
    assert.equal(store.blobIds().length, 1);
  });

  it("begins anew with the next Run", async () => {
    const { store, read } = await aClaimedStore();
    await appendJournal(store, aPod(1), 0, numbered(0, 2));
    await fence(store, NETWORK, fencedRun(aPod(1)), "its result has come", AT);
    await changeRecord(store, NETWORK, (record) => claim(record, aPod(2), AT));
    await appendJournal(store, aPod(2), 0, numbered(5, 1));
    assert.deepEqual(await read(), numbered(5, 1));
    assert.equal(store.blobIds().length, 1);
  });
});
