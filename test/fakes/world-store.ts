import type { StateStore } from "../../operator/storage/port.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";
import type { RecordLog } from "./world-caches.ts";
import type { Mortal, Turns } from "./world-turns.ts";

export interface WorldStore extends RecordLog {
  readonly memory: MemoryStore;
  /** The store as one program sees it: what touches records and blobs waits for its turn, and may fail there. */
  seenBy(sender: Mortal): StateStore;
}

const CHANGES = new Set(["createRecord", "updateRecord", "deleteRecord"]);

export function worldStore(turns: Turns, onWrite: (sender: Mortal, what: string) => void): WorldStore {
  // What touches anything waits for its turn already.
  const memory = memoryStore({}, () => Promise.resolve());
  const versions = [memory.records()];
  memory.faults.after = (call) => {
    if (CHANGES.has(call)) versions.push(memory.records());
  };
  const seenBy = (sender: Mortal): StateStore => {
    const gated = <T>(what: string, isWrite: boolean, work: () => Promise<T>): Promise<T> =>
      turns.request(sender, `store ${what}`, isWrite, async () => {
        const answer = await work();
        if (isWrite) onWrite(sender, `store ${what}`);
        return answer;
      });
    return {
      record: (key, signal) => gated(`record ${key.component}`, false, () => memory.record(key, signal)),
      recordsOf: (namespace, environment, signal) =>
        gated("recordsOf", false, () => memory.recordsOf(namespace, environment, signal)),
      allRecords: (namespace, signal) => gated("allRecords", false, () => memory.allRecords(namespace, signal)),
      createRecord: (record, signal) =>
        gated(`create ${record.key.component}`, true, () => memory.createRecord(record, signal)),
      updateRecord: (record, version, signal) =>
        gated(`update ${record.key.component}`, true, () => memory.updateRecord(record, version, signal)),
      deleteRecord: (key, version, signal) =>
        gated(`delete ${key.component}`, true, () => memory.deleteRecord(key, version, signal)),
      pause: () => Promise.resolve(),
      putBlob: (owner, kind, content, signal) =>
        gated(`put ${kind}`, true, () => memory.putBlob(owner, kind, content, signal)),
      getBlob: (owner, ref, signal) => gated(`get ${ref.kind}`, false, () => memory.getBlob(owner, ref, signal)),
      deleteBlob: (owner, ref, signal) =>
        gated(`forget ${ref.kind}`, true, () => memory.deleteBlob(owner, ref, signal)),
    };
  };
  return { memory, versions, seenBy };
}
