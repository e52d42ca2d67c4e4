import { LABELS } from "../api/names.ts";
import type { Secret } from "../cluster/kinds.ts";
import type { Stored } from "../cluster/ports.ts";
import { SECRETS } from "../cluster/resources.ts";
import { blobsOf } from "./blobs.ts";
import type { UnreadableRecord } from "./port.ts";
import { decodeRecord, readEach } from "./record-codec.ts";
import { optionsWith, type SecretPlace } from "./secret-blobs.ts";
import { BLOBS, RECORDS, STORE_LABELS } from "./secret-names.ts";
import { removeSecret } from "./secret-removal.ts";

export interface GarbageOptions {
  readonly now: Date;
  /** Younger chunks may belong to a write that is under way; an hour unless told. */
  readonly olderThanMs?: number;
  readonly signal?: AbortSignal;
  /** Told of each record that cannot be read. */
  readonly onUnreadable?: (record: UnreadableRecord) => void;
}

/** A page holds at most this many chunks of 900 KiB in memory. */
const PAGE = 20;
const HOUR_MS = 3_600_000;
/** A record that was lost may come back from a backup, and needs them. */
const ORPHANED_MS = 30 * 24 * HOUR_MS;

/**
 * Deletes chunks that no record refers to and that are older than an hour, or than thirty days where their whole record is gone; returns how many.
 * Chunks are listed first and records after them: whatever was being written in between is too young. While a record cannot be read, nobody knows
 * which chunks without a record are its own: they stay.
 */
export async function collectGarbage(place: SecretPlace, options: GarbageOptions): Promise<number> {
  const { client, namespace } = place;
  const candidates = await oldChunks(place, options);
  if (candidates.length === 0) return 0;
  const { blobIds, storageIds, isWhole } = await inUse(place, options);
  const isGarbage = ({ blobId, storageId, ageMs }: Candidate) =>
    !blobIds.has(blobId) && (storageIds.has(storageId) || (isWhole && ageMs > ORPHANED_MS));
  const garbage = candidates.filter(isGarbage);
  for (const { name } of garbage) await removeSecret(client, namespace, name, options.signal);
  return garbage.length;
}

interface Candidate {
  readonly name: string;
  readonly blobId: string;
  readonly storageId: string;
  readonly ageMs: number;
}

async function oldChunks({ client, namespace }: SecretPlace, { now, olderThanMs = HOUR_MS, signal }: GarbageOptions) {
  const found: Candidate[] = [];
  const ageOf = ({ metadata }: Stored<Secret>) => now.getTime() - Date.parse(metadata.creationTimestamp);
  let continueToken: string | undefined;
  do {
    const from = continueToken === undefined ? {} : { continueToken };
    const page = await client.list<Secret>(SECRETS, {
      namespace,
      labelSelector: BLOBS,
      limit: PAGE,
      ...from,
      ...optionsWith(signal),
    });
    for (const secret of page.items) {
      const { name, labels } = secret.metadata;
      const { [STORE_LABELS.blob]: blobId, [STORE_LABELS.storage]: storageId = "" } = labels ?? {};
      const ageMs = ageOf(secret);
      if (blobId !== undefined && ageMs > olderThanMs) found.push({ name, blobId, storageId, ageMs });
    }
    continueToken = page.continueToken;
  } while (continueToken !== undefined);
  return found;
}

async function inUse({ client, namespace, ring }: SecretPlace, { signal, onUnreadable }: GarbageOptions) {
  const { items } = await client.listAll<Secret>(SECRETS, {
    namespace,
    labelSelector: RECORDS,
    ...optionsWith(signal),
  });
  const secrets = items.filter(({ metadata }) => metadata.labels?.[LABELS.stored] === "record");
  const { records, unreadable } = readEach(secrets, (secret) => decodeRecord(ring, secret));
  for (const record of unreadable) onUnreadable?.(record);
  const isWhole = unreadable.length === 0;
  // What moves to another name may be there already, with the same chunks.
  const known = records.filter(({ movingTo }) => isWhole || movingTo === undefined);
  return {
    blobIds: new Set(records.flatMap((record) => blobsOf(record).map(({ id }) => id))),
    storageIds: new Set(known.map(({ storageId }) => storageId)),
    isWhole,
  };
}
