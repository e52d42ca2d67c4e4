import assert from "node:assert/strict";
import { rememberingBlobs } from "../../../operator/storage/remembered-blobs.ts";
import { memoryStore } from "../../fakes/memory-store.ts";

const owner = { storageId: "one" };

function aStore(limits = { bytes: 100, eachBytes: 50 }) {
  const memory = memoryStore();
  const reads: string[] = [];
  memory.faults.before = (call) => void (call === "getBlob" && reads.push(call));
  return { memory, reads, store: rememberingBlobs(memory, limits) };
}

describe("a store that remembers blobs", () => {
  it("reads what it has written or read before from memory", async () => {
    const { memory, reads, store } = aStore();
    const written = await store.putBlob(owner, "state", Buffer.from("state"));
    const other = await memory.putBlob(owner, "archive", Buffer.from("archive"));
    for (const ref of [written, other, other]) await store.getBlob(owner, ref);
    assert.equal(reads.length, 1);
    assert.equal((await store.getBlob(owner, other)).toString(), "archive");
  });

  it("keeps neither large ones nor those that are read once", async () => {
    const { reads, store } = aStore();
    const large = await store.putBlob(owner, "state", Buffer.alloc(51));
    const journal = await store.putBlob(owner, "journal", Buffer.from("entries"));
    for (const ref of [large, journal, large, journal]) await store.getBlob(owner, ref);
    assert.equal(reads.length, 4);
  });

  it("forgets what was not used for longest when it is full", async () => {
    const { reads, store } = aStore();
    const [a, b] = [
      await store.putBlob(owner, "state", Buffer.alloc(40, 1)),
      await store.putBlob(owner, "state", Buffer.alloc(40, 2)),
    ];
    await store.getBlob(owner, a);
    await store.putBlob(owner, "state", Buffer.alloc(40, 3));
    await store.getBlob(owner, a);
    assert.equal(reads.length, 0);
    await store.getBlob(owner, b);
    assert.equal(reads.length, 1);
  });

  it("forgets what is deleted, and gives nothing to another owner", async () => {
    const { store } = aStore();
    const ref = await store.putBlob(owner, "state", Buffer.from("state"));
    await assert.rejects(store.getBlob({ storageId: "another" }, ref), /missing/);
    await store.deleteBlob(owner, ref);
    await assert.rejects(store.getBlob(owner, ref), /missing/);
  });
});
