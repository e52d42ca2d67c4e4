import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { LABELS } from "../api/names.ts";
import type { Secret } from "../cluster/kinds.ts";
import type { KeyRing } from "./key-ring.ts";
import { RecordsUnreadable, StoreCorrupt, type UnreadableRecord } from "./port.ts";
import { type ComponentRecord, type StateKey, stateKeyText } from "./record.ts";
import {
  KEY_ANNOTATION,
  recordLabels,
  recordName,
  recordSeal,
  STATE_SECRET_TYPE,
  STORE_FINALIZER,
} from "./secret-names.ts";

const DATA_KEY = "record";
const LARGEST_RECORD = 16 * 1024 * 1024;
/** Kubernetes refuses Secrets over 1 MiB. */
const LARGEST_SEALED = 1024 * 1024 - 1024;

/** The inputs of the last two attempts are nearly the same text: with a wide window the second costs next to nothing. */
const COMPRESSION = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 22 },
};

export function encodeRecord(ring: KeyRing, namespace: string, record: ComponentRecord): Secret {
  const { key } = record;
  const sealed = ring.seal(brotliCompressSync(JSON.stringify(record), COMPRESSION), recordSeal(key));
  if (sealed.length > LARGEST_SEALED)
    throw new RangeError(
      `the record of ${stateKeyText(key)} has ${sealed.length} bytes: move inline files to a git source`,
    );
  return {
    metadata: {
      name: recordName(key),
      namespace,
      labels: recordLabels(key),
      annotations: { [KEY_ANNOTATION]: stateKeyText(key) },
      finalizers: [STORE_FINALIZER],
    },
    type: STATE_SECRET_TYPE,
    data: { [DATA_KEY]: sealed.toString("base64") },
  };
}

/** Throws `StoreCorrupt` where the object holds no record, or that of another key. */
export function decodeRecord(ring: KeyRing, secret: Secret): ComponentRecord {
  const key = keyOfRecord(secret);
  const what = `Secret ${secret.metadata.name}`;
  const text = secret.data?.[DATA_KEY];
  if (key === undefined || text === undefined) throw new StoreCorrupt(what, "it holds no record");
  const clear = brotliDecompressSync(ring.open(Buffer.from(text, "base64"), recordSeal(key)), {
    maxOutputLength: LARGEST_RECORD,
  });
  // Only this program can have sealed it: its shape is trusted.
  const record = JSON.parse(clear.toString("utf8")) as ComponentRecord;
  if (stateKeyText(record.key) !== stateKeyText(key))
    throw new StoreCorrupt(what, "it holds the record of another key");
  return record;
}

interface Read<T> {
  readonly records: readonly T[];
  readonly unreadable: readonly UnreadableRecord[];
}

/** Each for itself: what is wrong with one keeps nobody from reading the others. */
export function readEach<S extends Secret, T>(secrets: Iterable<S>, read: (secret: S) => T): Read<T> {
  const records: T[] = [];
  const unreadable: UnreadableRecord[] = [];
  for (const secret of secrets) {
    try {
      records.push(read(secret));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const { name, labels } = secret.metadata;
      // The label counts, by which it was found: its annotation may be what is wrong.
      unreadable.push({ component: labels?.[LABELS.component] ?? name, holder: `Secret ${name}`, error });
    }
  }
  return { records, unreadable };
}

/** Those of one Environment. Throws `RecordsUnreadable` where `read` fails for any of them. */
export function readAll<S extends Secret, T>(secrets: Iterable<S>, read: (secret: S) => T): readonly T[] {
  const { records, unreadable } = readEach(secrets, read);
  if (unreadable.length > 0) throw new RecordsUnreadable(unreadable);
  return records;
}

/** From the annotation, without decrypting. */
export function keyOfRecord(secret: Secret): StateKey | undefined {
  const [namespace, environment, component, ...more] = (secret.metadata.annotations?.[KEY_ANNOTATION] ?? "").split("/");
  if (!namespace || !environment || !component || more.length > 0) return undefined;
  return { namespace, environment, component };
}
