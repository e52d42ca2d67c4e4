import assert from "node:assert/strict";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { type MemoryStore, memoryStore, type StoreFaults } from "../../fakes/memory-store.ts";

/** A store that checks at every write of a record, however it came about, that no promise about states is broken. */
export function watchedStore(faults: StoreFaults = {}): MemoryStore & { readonly heads: readonly number[] } {
  const store = memoryStore(faults);
  const heads: number[] = [];
  const { updateRecord } = store;
  return Object.assign(store, {
    heads,
    updateRecord: async (...args: Parameters<typeof updateRecord>) => {
      const [after] = args;
      // Between this look and the write nobody else can write: the version is compared.
      const before = store.records().find(({ key }) => key.component === after.key.component);
      const answer = await updateRecord(...args).catch((error: unknown) => {
        if (store.records().some((record) => JSON.stringify(record) === JSON.stringify(after)) && before !== undefined)
          mustKeepPromises(before, after);
        throw error;
      });
      if (before !== undefined) mustKeepPromises(before, after);
      if (after.state !== undefined) heads.push(after.state.serial);
      return answer;
    },
  });
}

function mustKeepPromises(before: ComponentRecord, after: ComponentRecord): void {
  headOnlyMovesForward(before, after);
  lockIsTakenOnlyWhenFree(before, after);
  claimIsReplacedOnlyWhenDead(before, after);
  assert.ok(after.lock === undefined || after.lock.runUid === after.claim?.runUid, "the lock belongs to the claim");
}

function headOnlyMovesForward({ state, claim, lock }: ComponentRecord, after: ComponentRecord): void {
  const next = after.state;
  if (next?.blob.id === state?.blob.id) return;
  assert.ok(next !== undefined, "a state never disappears");
  assert.ok(state === undefined || next.serial > state.serial, "the serial never goes back");
  assert.ok(state === undefined || next.lineage === state.lineage, "the lineage stays");
  assert.equal(claim?.run, next.run, "only the claimed Run writes");
  assert.equal(claim?.fenced, undefined, "a fenced Run does not write");
  assert.equal(lock?.run, next.run, "only the holder of the lock writes");
  if (state !== undefined) assert.deepEqual(after.history[0], state, "the former head is kept");
}

function lockIsTakenOnlyWhenFree({ lock, claim }: ComponentRecord, after: ComponentRecord): void {
  if (after.lock === undefined || after.lock.id === lock?.id) return;
  assert.equal(lock, undefined, "a lock is never taken from its holder");
  assert.equal(claim?.fenced, undefined, "a fenced Run takes no lock");
}

function claimIsReplacedOnlyWhenDead({ claim, lock }: ComponentRecord, after: ComponentRecord): void {
  if (claim === undefined || after.claim?.podUid === claim.podUid) return;
  assert.ok(claim.fenced !== undefined, "a living claim is never replaced");
  assert.equal(lock, undefined, "a claim is not replaced while its lock is held");
}
