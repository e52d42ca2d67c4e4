import type { StateStore } from "./port.ts";
import type { BlobRef } from "./record.ts";

export interface MemoryLimits {
  /** Of all that is remembered. */
  readonly bytes: number;
  /** Of one blob; larger ones are read anew each time. */
  readonly eachBytes: number;
}

const MIB = 1024 * 1024;
const LIMITS: MemoryLimits = { bytes: 32 * MIB, eachBytes: MIB };

/** What is read again and again while nothing changes: by each Check of a component. */
const WORTH_KEEPING: readonly BlobRef["kind"][] = ["state", "archive"];

/** The store, remembering what it wrote and read last. Blobs never change, so what is remembered is right as long as a record names it. */
export function rememberingBlobs(store: StateStore, { bytes, eachBytes }: MemoryLimits = LIMITS): StateStore {
  /** The least recently used first. */
  const kept = new Map<string, Buffer>();
  let total = 0;
  const nameOf = (storageId: string, { id, digest }: BlobRef) => `${storageId}/${id}/${digest}`;
  const forget = (name: string): void => {
    total -= kept.get(name)?.length ?? 0;
    kept.delete(name);
  };
  const keep = (name: string, content: Buffer, { kind }: BlobRef): void => {
    if (!WORTH_KEEPING.includes(kind) || content.length > eachBytes) return;
    forget(name);
    kept.set(name, content);
    total += content.length;
    for (const oldest of kept.keys()) {
      if (total <= bytes) return;
      forget(oldest);
    }
  };
  return {
    ...store,
    async putBlob(owner, kind, content, signal) {
      const ref = await store.putBlob(owner, kind, content, signal);
      keep(nameOf(owner.storageId, ref), content, ref);
      return ref;
    },
    async getBlob(owner, ref, signal) {
      const name = nameOf(owner.storageId, ref);
      const content = kept.get(name) ?? (await store.getBlob(owner, ref, signal));
      keep(name, content, ref);
      return content;
    },
    async deleteBlob(owner, ref, signal) {
      forget(nameOf(owner.storageId, ref));
      await store.deleteBlob(owner, ref, signal);
    },
  };
}
