import { hash } from "node:crypto";
import { RecordConflict, type StateStore, StoreCorrupt, type Versioned } from "../../operator/storage/port.ts";
import { type BlobRef, type ComponentRecord, type StateKey, stateKeyText } from "../../operator/storage/record.ts";
import { frozenCopy } from "./frozen.ts";

export type StoreCall = keyof StateStore;

/** Decides about one call; throw to make it fail. */
export interface StoreFaults {
  /** Before anything happens: the request never arrived. */
  before?: (call: StoreCall, count: number) => void | Promise<void>;
  /** After it happened: the answer was lost. */
  after?: (call: StoreCall, count: number) => void | Promise<void>;
}

export interface MemoryStore extends StateStore {
  /** Every record, as it is now. */
  records(): readonly ComponentRecord[];
  blobIds(): readonly string[];
  /** Puts a record there without asking anybody. */
  seed(record: ComponentRecord): void;
  faults: StoreFaults;
}

interface Kept {
  readonly storageId: string;
  readonly content: Buffer;
}

/** Lets others in, as a network does. */
const letOthersIn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * A state store in memory that keeps the contract of the port: compare-and-swap, immutable blobs, records that nobody can change from outside.
 * `onTheWay` is awaited in each call.
 */
export function memoryStore(faults: StoreFaults = {}, onTheWay: () => Promise<void> = letOthersIn): MemoryStore {
  const records = new Map<string, Versioned<ComponentRecord>>();
  const blobs = new Map<string, Kept>();
  let version = 0;
  let calls = 0;
  let blobsMade = 0;

  const put = (record: ComponentRecord): Versioned<ComponentRecord> => {
    version += 1;
    const stored = { value: frozenCopy(record), version: String(version) };
    records.set(stateKeyText(record.key), stored);
    return stored;
  };
  const call = async <T>(name: StoreCall, signal: AbortSignal | undefined, work: () => T): Promise<T> => {
    calls += 1;
    const count = calls;
    await onTheWay();
    signal?.throwIfAborted();
    await store.faults.before?.(name, count);
    const answer = work();
    await store.faults.after?.(name, count);
    return answer;
  };
  const currentVersion = (key: StateKey) => records.get(stateKeyText(key))?.version;

  const store: MemoryStore = {
    faults,
    records: () => [...records.values()].map(({ value }) => value),
    blobIds: () => [...blobs.keys()],
    seed: (record) => void put(record),
    record: (key, signal) => call("record", signal, () => records.get(stateKeyText(key))),
    createRecord: (record, signal) =>
      call("createRecord", signal, () => {
        if (currentVersion(record.key) !== undefined) throw new RecordConflict(record.key);
        return put(record);
      }),
    updateRecord: (record, expected, signal) =>
      call("updateRecord", signal, () => {
        if (currentVersion(record.key) !== expected) throw new RecordConflict(record.key);
        return put(record);
      }),
    deleteRecord: (key, expected, signal) =>
      call("deleteRecord", signal, () => {
        const current = currentVersion(key);
        if (current === undefined) return;
        if (current !== expected) throw new RecordConflict(key);
        records.delete(stateKeyText(key));
      }),
    recordsOf: (namespace, environment, signal) =>
      call("recordsOf", signal, () =>
        [...records.values()].filter(
          ({ value: { key } }) => key.namespace === namespace && key.environment === environment,
        ),
      ),
    allRecords: (namespace, signal) =>
      call("allRecords", signal, () =>
        store.records().filter(({ key }) => namespace === undefined || key.namespace === namespace),
      ),
    putBlob: ({ storageId }, kind, content, signal) =>
      call("putBlob", signal, () => {
        blobsMade += 1;
        const ref: BlobRef = {
          id: `blob-${blobsMade}`,
          kind,
          digest: sha256(content),
          size: content.length,
          chunks: 1,
        };
        blobs.set(ref.id, { storageId, content: Buffer.from(content) });
        return ref;
      }),
    getBlob: ({ storageId }, ref, signal) =>
      call("getBlob", signal, () => {
        const kept = blobs.get(ref.id);
        if (kept?.storageId !== storageId) throw new StoreCorrupt(`${ref.kind} ${ref.id}`, "it is missing");
        if (sha256(kept.content) !== ref.digest) throw new StoreCorrupt(`${ref.kind} ${ref.id}`, "another digest");
        return Buffer.from(kept.content);
      }),
    deleteBlob: (_owner, ref, signal) => call("deleteBlob", signal, () => void blobs.delete(ref.id)),
  };
  return store;
}

const sha256 = (content: Buffer): string => `sha256:${hash("sha256", content, "hex")}`;
