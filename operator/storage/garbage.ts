import { LABELS } from "../api/names.ts";
import type { Secret } from "../cluster/kinds.ts";
import type { Stored } from "../cluster/ports.ts";
import { SECRETS } from "../cluster/resources.ts";
import { blobsOf } from "./blobs.ts";
import { decodeRecord } from "./record-codec.ts";
import { optionsWith, type SecretPlace } from "./secret-blobs.ts";
import { BLOBS, RECORDS, STORE_LABELS } from "./secret-names.ts";
import { removeSecret } from "./secret-removal.ts";

export interface GarbageOptions {
  readonly now: Date;
  /** Younger chunks may belong to a write that is under way; an hour unless told. */
  readonly olderThanMs?: number;
  readonly signal?: AbortSignal;
}

/** A page holds at most this many chunks of 900 KiB in memory. */
const PAGE = 20;
const HOUR_MS = 3_600_000;

/**
 * Deletes chunks that no record refers to and that are older than an hour; returns how many. Chunks are listed first and records after them:
 * whatever was being written in between is too young. A record that cannot be read stops it, since its chunks are unknown.
 */
export async function collectGarbage(place: SecretPlace, options: GarbageOptions): Promise<number> {
  const { client, namespace } = place;
  const candidates = await oldChunks(place, options);
  if (candidates.length === 0) return 0;
  const used = await blobIdsInUse(place, options.signal);
  const garbage = candidates.filter(({ blobId }) => !used.has(blobId));
  for (const { name } of garbage) await removeSecret(client, namespace, name, options.signal);
  return garbage.length;
}

async function oldChunks({ client, namespace }: SecretPlace, { now, olderThanMs = HOUR_MS, signal }: GarbageOptions) {
  const found: { readonly name: string; readonly blobId: string }[] = [];
  const isOld = ({ metadata }: Stored<Secret>) => now.getTime() - Date.parse(metadata.creationTimestamp) > olderThanMs;
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
    for (const secret of page.items.filter(isOld)) {
      const blobId = secret.metadata.labels?.[STORE_LABELS.blob];
      if (blobId !== undefined) found.push({ name: secret.metadata.name, blobId });
    }
    continueToken = page.continueToken;
  } while (continueToken !== undefined);
  return found;
}

async function blobIdsInUse({ client, namespace, ring }: SecretPlace, signal?: AbortSignal): Promise<Set<string>> {
  const { items } = await client.listAll<Secret>(SECRETS, {
    namespace,
    labelSelector: RECORDS,
    ...optionsWith(signal),
  });
  const records = items.filter(({ metadata }) => metadata.labels?.[LABELS.stored] === "record");
  return new Set(records.flatMap((secret) => blobsOf(decodeRecord(ring, secret)).map(({ id }) => id)));
}
