import { type BlobRef, type ComponentRecord, type StateKey, stateKeyText } from "./record.ts";

/** A record with the version that a compare-and-swap needs. */
export interface Versioned<T> {
  readonly value: T;
  /** Opaque; changes at every write. */
  readonly version: string;
}

/** The record has changed since it was read: read it again and decide anew. */
export class RecordConflict extends Error {
  readonly key: StateKey;
  constructor(key: StateKey) {
    super(`the record of ${stateKeyText(key)} was changed by somebody else`);
    this.name = "RecordConflict";
    this.key = key;
  }
}

/** The content is not what the reference says, or cannot be decrypted. */
export class StoreCorrupt extends Error {
  readonly what: string;
  constructor(what: string, why: string) {
    super(`${what}: ${why}`);
    this.name = "StoreCorrupt";
    this.what = what;
  }
}

/** No encryption key fits what is stored. A new one is never made in its place. */
export class KeyMissing extends Error {
  readonly keyId: string;
  constructor(keyId: string) {
    super(`the encryption key ${keyId} is not in the key Secret: restore it from its backup`);
    this.name = "KeyMissing";
    this.keyId = keyId;
  }
}

/** A record that cannot be read. */
export interface UnreadableRecord {
  readonly component: string;
  /** The object that holds it, for whoever has to restore it. */
  readonly holder: string;
  readonly error: Error;
}

/**
 * Some records of one Environment cannot be read. Who uses whom, and what has which name, is known from all of them together: nothing may follow from
 * the rest.
 */
export class RecordsUnreadable extends Error {
  /** Always in the same order: what is told of them must not change by itself. Those that lack a key come first, since it may help them all. */
  readonly unreadable: readonly UnreadableRecord[];
  constructor(unreadable: readonly UnreadableRecord[]) {
    const rank = ({ error, component }: UnreadableRecord) => `${error instanceof KeyMissing ? 0 : 1} ${component}`;
    const sorted = unreadable.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
    super(sorted.map(({ holder, error }) => `${holder} cannot be read: ${error.message}`).join("; "), {
      cause: sorted[0]?.error,
    });
    this.name = "RecordsUnreadable";
    this.unreadable = sorted;
  }
}

/**
 * Where states live. Records change by compare-and-swap; blobs are immutable, encrypted, and belong to one record.
 * Every call has a deadline and rejects with the store's own error when it passes.
 */
export interface StateStore {
  /** Reads the newest record, never a cached one. */
  record(key: StateKey, signal?: AbortSignal): Promise<Versioned<ComponentRecord> | undefined>;
  /** Fails with RecordConflict when there is one already. */
  createRecord(record: ComponentRecord, signal?: AbortSignal): Promise<Versioned<ComponentRecord>>;
  /** Fails with RecordConflict when `version` is not the newest. */
  updateRecord(record: ComponentRecord, version: string, signal?: AbortSignal): Promise<Versioned<ComponentRecord>>;
  deleteRecord(key: StateKey, version: string, signal?: AbortSignal): Promise<void>;
  /** Newest records of one environment name, never cached. Fails with RecordsUnreadable where one cannot be read. */
  recordsOf(
    namespace: string,
    environment: string,
    signal?: AbortSignal,
  ): Promise<readonly Versioned<ComponentRecord>[]>;
  /** Newest records of one namespace, or of all of them; never cached. */
  allRecords(namespace: string | undefined, signal?: AbortSignal): Promise<readonly ComponentRecord[]>;

  putBlob(
    owner: { readonly storageId: string },
    kind: BlobRef["kind"],
    content: Buffer,
    signal?: AbortSignal,
  ): Promise<BlobRef>;
  getBlob(owner: { readonly storageId: string }, ref: BlobRef, signal?: AbortSignal): Promise<Buffer>;
  deleteBlob(owner: { readonly storageId: string }, ref: BlobRef, signal?: AbortSignal): Promise<void>;

  /** How a writer waits that has lost a race for a record; by the clock on the wall unless told. */
  pause?(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The records as this process saw them last, from a watch: reading costs nothing and may be a moment old. */
export interface RecordCache {
  hasSynced(): boolean;
  /** Resolves when it holds all of them for the first time. */
  synced(signal?: AbortSignal): Promise<void>;
  /** Throws RecordsUnreadable where one cannot be read. */
  recordsOf(namespace: string, environment: string): readonly ComponentRecord[];
  onChange(handler: (key: StateKey) => void): void;
  measure(): StoreMeasure;
}

/** What the records, and everything that they refer to, take in the store. */
export interface StoreMeasure {
  readonly records: number;
  readonly recordBytes: number;
  readonly blobBytes: number;
}
