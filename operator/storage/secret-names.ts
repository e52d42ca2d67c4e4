import { createHash } from "node:crypto";
import { FIELD_MANAGER, GROUP, LABELS } from "../api/names.ts";
import type { Secret } from "../cluster/kinds.ts";
import { type StateKey, stateKeyText } from "./record.ts";

/** How the store's objects are called and marked, in the namespace of the operator. */

export const STATE_SECRET_TYPE = "terrarium.dev/state";

/** Keeps a record or chunk that somebody deletes: only the store itself takes it off. */
export const STORE_FINALIZER = `${GROUP}/stored`;

export const STORE_LABELS = {
  namespace: `${GROUP}/namespace`,
  storage: `${GROUP}/storage`,
  blob: `${GROUP}/blob`,
} as const;

/** Names the key in clear, so that a watch need not decrypt to know what changed. */
export const KEY_ANNOTATION = `${GROUP}/state-key`;

const MANAGED_BY = { "app.kubernetes.io/managed-by": FIELD_MANAGER };
const LONGEST_LABEL = 63;

export const RECORDS = `${LABELS.stored}=record`;
/** Records, and the keys that they are sealed with. */
export const RECORDS_AND_KEYS = `${LABELS.stored} in (record,key)`;
export const BLOBS = `${LABELS.stored}=blob`;

export function recordName(key: StateKey): string {
  return `terrarium-record-${hashed(stateKeyText(key))}`;
}

export function recordLabels(key: StateKey): Record<string, string> {
  return {
    ...MANAGED_BY,
    [LABELS.stored]: "record",
    [STORE_LABELS.namespace]: labelValue(key.namespace),
    [LABELS.environment]: labelValue(key.environment),
    [LABELS.component]: labelValue(key.component),
  };
}

/** What its labels say; of long names they say something else, which the record's name shows. */
export function labelledKey({ metadata: { labels = {} } }: Secret): StateKey | undefined {
  const [namespace, environment, component] = [STORE_LABELS.namespace, LABELS.environment, LABELS.component].map(
    (label) => labels[label],
  );
  if (namespace === undefined || environment === undefined || component === undefined) return undefined;
  return { namespace, environment, component };
}

export function recordsOfSelector(namespace: string, environment: string): string {
  return `${recordsInSelector(namespace)},${LABELS.environment}=${labelValue(environment)}`;
}

export const recordsInSelector = (namespace: string): string =>
  `${RECORDS},${STORE_LABELS.namespace}=${labelValue(namespace)}`;

export const chunkName = (blobId: string, index: number): string => `terrarium-blob-${blobId}-${index}`;

export function chunkLabels(storageId: string, blobId: string): Record<string, string> {
  return {
    ...MANAGED_BY,
    [LABELS.stored]: "blob",
    [STORE_LABELS.storage]: storageId,
    [STORE_LABELS.blob]: blobId,
  };
}

/** What a record is encrypted as: under another key it cannot be opened. */
export const recordSeal = (key: StateKey): string => `record ${stateKeyText(key)}`;
export const chunkSeal = (storageId: string, blobId: string, index: number): string =>
  `blob ${storageId}/${blobId}/${index}`;

function labelValue(text: string): string {
  return text.length <= LONGEST_LABEL ? text : hashed(text);
}

const hashed = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 40);
