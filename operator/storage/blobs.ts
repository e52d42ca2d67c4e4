import type { StateStore } from "./port.ts";
import type { BlobRef, ComponentRecord } from "./record.ts";
import { journalsOf } from "./record-of-applies.ts";

/** Everything that a record refers to. What is not in any record's list is garbage. */
export function blobsOf(record: ComponentRecord): readonly BlobRef[] {
  const refs = [
    record.state?.blob,
    ...record.history.map(({ blob }) => blob),
    record.claim?.archive,
    record.held?.bundle,
    record.held?.archive,
    record.applied?.archive,
    record.attempted?.archive,
    record.recovery?.blob,
    ...journalsOf(record).flatMap(({ blobs }) => blobs),
  ].filter((ref) => ref !== undefined);
  return [...new Map(refs.map((ref) => [ref.id, ref])).values()];
}

/** What `before` refers to and `after` does not. */
export function droppedBlobs(before: ComponentRecord, after: ComponentRecord): readonly BlobRef[] {
  const kept = new Set(blobsOf(after).map(({ id }) => id));
  return blobsOf(before).filter(({ id }) => !kept.has(id));
}

/**
 * Deletes what no record refers to any more. A failure leaves garbage, which is collected later, and is no reason to fail what was done:
 * it is swallowed.
 */
export async function deleteBlobs(
  store: StateStore,
  owner: { readonly storageId: string },
  refs: readonly BlobRef[],
  signal?: AbortSignal,
): Promise<void> {
  await Promise.allSettled(refs.map((ref) => store.deleteBlob(owner, ref, signal)));
}
