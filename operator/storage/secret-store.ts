import { isAlreadyExists, isConflict, isInvalid, isNotFound } from "../cluster/errors.ts";
import type { Secret } from "../cluster/kinds.ts";
import type { Stored } from "../cluster/ports.ts";
import { SECRETS } from "../cluster/resources.ts";
import { RecordConflict, type StateStore, type Versioned } from "./port.ts";
import { type ComponentRecord, type StateKey, stateKeyText } from "./record.ts";
import { decodeRecord, encodeRecord, readAll } from "./record-codec.ts";
import { deleteBlob, getBlob, optionsWith, putBlob, type SecretPlace } from "./secret-blobs.ts";
import { RECORDS, recordName, recordsInSelector, recordsOfSelector } from "./secret-names.ts";

/**
 * The state store on Secrets of the operator's own namespace: one for each record, one for each chunk of a blob. A record's version is the
 * resourceVersion of its Secret.
 */
export function createSecretStore(place: SecretPlace): StateStore {
  const { client, namespace, ring } = place;
  const versioned = (secret: Stored<Secret>): Versioned<ComponentRecord> => ({
    value: decodeRecord(ring, secret),
    version: secret.metadata.resourceVersion,
  });

  return {
    async record(key, signal) {
      const secret = await client.find<Secret>(SECRETS, namespace, recordName(key), optionsWith(signal));
      return secret === undefined ? undefined : versioned(secret);
    },
    async createRecord(record, signal) {
      const create = client.create<Secret>(SECRETS, encodeRecord(ring, namespace, record), optionsWith(signal));
      const made = await create.catch((error) => asConflict(error, record.key));
      return { value: record, version: made.metadata.resourceVersion };
    },
    async updateRecord(record, version, signal) {
      const secret = encodeRecord(ring, namespace, record);
      const body = { ...secret, metadata: { ...secret.metadata, resourceVersion: version } };
      const replace = client.replace<Secret>(SECRETS, body, optionsWith(signal));
      const written = await replace.catch((error) => asConflict(error, record.key));
      return { value: record, version: written.metadata.resourceVersion };
    },
    async deleteRecord(key, version, signal) {
      await removeRecord(place, key, version, signal);
    },
    async recordsOf(ofNamespace, environment, signal) {
      const labelSelector = recordsOfSelector(ofNamespace, environment);
      const { items } = await client.listAll<Secret>(SECRETS, { namespace, labelSelector, ...optionsWith(signal) });
      const isOfThese = ({ value: { key } }: Versioned<ComponentRecord>) =>
        key.namespace === ofNamespace && key.environment === environment;
      return readAll(items, versioned).filter(isOfThese);
    },
    async allRecords(ofNamespace, signal) {
      const labelSelector = ofNamespace === undefined ? RECORDS : recordsInSelector(ofNamespace);
      const { items } = await client.listAll<Secret>(SECRETS, { namespace, labelSelector, ...optionsWith(signal) });
      const records = items.map((secret) => decodeRecord(ring, secret));
      return records.filter(({ key }) => ofNamespace === undefined || key.namespace === ofNamespace);
    },
    putBlob: (owner, kind, content, signal) => putBlob(place, owner, kind, content, signal),
    getBlob: (owner, ref, signal) => getBlob(place, owner, ref, signal),
    deleteBlob: (_owner, ref, signal) => deleteBlob(place, ref, signal),
  };
}

/** Taking the finalizer off is the compare-and-swap, and the deletion another: whoever writes in between wins and keeps the record. */
async function removeRecord({ client, namespace }: SecretPlace, key: StateKey, version: string, signal?: AbortSignal) {
  const name = recordName(key);
  const options = optionsWith(signal);
  const found = await client.find<Secret>(SECRETS, namespace, name, options);
  if (found === undefined) return;
  if (found.metadata.resourceVersion !== version) throw new RecordConflict(key);
  try {
    const free = await client.replace<Secret>(
      SECRETS,
      { ...found, metadata: { ...found.metadata, finalizers: [] } },
      options,
    );
    const { uid, resourceVersion } = free.metadata;
    await client.delete(SECRETS, namespace, name, { preconditions: { uid, resourceVersion }, ...options });
  } catch (error) {
    asConflict(error, key);
  }
}

/** A record that is gone was changed by somebody else, too. */
function asConflict(error: unknown, key: StateKey): never {
  if (isConflict(error) || isAlreadyExists(error) || isNotFound(error)) throw new RecordConflict(key);
  if (isInvalid(error)) throw new Error(`Kubernetes refuses the record of ${stateKeyText(key)}`, { cause: error });
  throw error;
}
