import { createHash, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { constants, gunzip, gzip } from "node:zlib";
import type { Secret } from "../cluster/kinds.ts";
import type { Reader, Writer } from "../cluster/ports.ts";
import { SECRETS } from "../cluster/resources.ts";
import type { KeyRing } from "./key-ring.ts";
import { SEAL_OVERHEAD } from "./key-ring.ts";
import { StoreCorrupt } from "./port.ts";
import type { BlobRef } from "./record.ts";
import { chunkLabels, chunkName, chunkSeal, STATE_SECRET_TYPE, STORE_FINALIZER } from "./secret-names.ts";
import { removeSecret } from "./secret-removal.ts";

export type SecretClient = Pick<Reader, "get" | "find" | "list" | "listAll"> &
  Pick<Writer, "create" | "replace" | "delete" | "jsonPatch">;

export interface SecretPlace {
  readonly client: SecretClient;
  readonly namespace: string;
  readonly ring: KeyRing;
  /** Bytes of one chunk before it is sealed; smaller in tests. */
  readonly chunkBytes?: number;
}

/** With the seal and base64 this stays under Kubernetes' 1 MiB for a Secret, and etcd's 1.5 MiB for a request. */
const CHUNK_BYTES = 900 * 1024 - SEAL_OVERHEAD;
/** Chunks that are on their way at once, for each blob. */
const PARALLEL = 4;

const DATA_KEY = "chunk";
const compress = promisify(gzip);
const decompress = promisify(gunzip);

export async function putBlob(
  place: SecretPlace,
  { storageId }: { readonly storageId: string },
  kind: BlobRef["kind"],
  content: Buffer,
  signal?: AbortSignal,
): Promise<BlobRef> {
  const { client, namespace, ring, chunkBytes = CHUNK_BYTES } = place;
  const id = randomBytes(12).toString("hex");
  const packed = await compress(content, { level: constants.Z_BEST_SPEED });
  const chunks = Math.max(1, Math.ceil(packed.length / chunkBytes));
  let stored = 0;
  await forEachIndex(chunks, async (index) => {
    const part = packed.subarray(index * chunkBytes, (index + 1) * chunkBytes);
    const data = ring.seal(part, chunkSeal(storageId, id, index)).toString("base64");
    stored += data.length;
    const secret: Secret = {
      metadata: {
        name: chunkName(id, index),
        namespace,
        labels: chunkLabels(storageId, id),
        finalizers: [STORE_FINALIZER],
      },
      type: STATE_SECRET_TYPE,
      immutable: true,
      data: { [DATA_KEY]: data },
    };
    await client.create(SECRETS, secret, optionsWith(signal));
  });
  return { id, kind, digest: digestOfBytes(content), size: content.length, chunks, stored };
}

export async function getBlob(
  place: SecretPlace,
  { storageId }: { readonly storageId: string },
  ref: BlobRef,
  signal?: AbortSignal,
): Promise<Buffer> {
  const { client, namespace, ring } = place;
  const what = `${ref.kind} ${ref.id}`;
  const parts: Buffer[] = new Array(ref.chunks);
  await forEachIndex(ref.chunks, async (index) => {
    const secret = await client.find<Secret>(SECRETS, namespace, chunkName(ref.id, index), optionsWith(signal));
    const text = secret?.data?.[DATA_KEY];
    if (text === undefined) throw new StoreCorrupt(what, `its chunk ${index} of ${ref.chunks} is missing`);
    parts[index] = ring.open(Buffer.from(text, "base64"), chunkSeal(storageId, ref.id, index));
  });
  const content = await unpack(Buffer.concat(parts), ref, what);
  if (digestOfBytes(content) !== ref.digest) throw new StoreCorrupt(what, "its content has another digest");
  return content;
}

async function unpack(packed: Buffer, ref: BlobRef, what: string): Promise<Buffer> {
  try {
    return await decompress(packed, { maxOutputLength: Math.max(1, ref.size) });
  } catch {
    throw new StoreCorrupt(what, "it cannot be unpacked to the size that was recorded");
  }
}

export async function deleteBlob(place: SecretPlace, ref: BlobRef, signal?: AbortSignal): Promise<void> {
  const { client, namespace } = place;
  await forEachIndex(ref.chunks, (index) => removeSecret(client, namespace, chunkName(ref.id, index), signal));
}

export const digestOfBytes = (content: Buffer): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** Runs `work` for 0 … count-1, a few at a time; after a failure nothing new begins. */
async function forEachIndex(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < count && !failed) {
      const index = next;
      next += 1;
      await work(index).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, count) }, lane));
}

export const optionsWith = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });
