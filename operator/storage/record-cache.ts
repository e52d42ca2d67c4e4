import type { Secret } from "../cluster/kinds.ts";
import type { Cache, Selection, Stored } from "../cluster/ports.ts";
import { blobsOf } from "./blobs.ts";
import type { KeyRing } from "./key-ring.ts";
import type { RecordCache } from "./port.ts";
import type { ComponentRecord, StateKey } from "./record.ts";
import { decodeRecord, keyOfRecord, readAll } from "./record-codec.ts";
import { labelledKey, RECORDS_AND_KEYS, recordName } from "./secret-names.ts";

/** What a reflector on SECRETS must select for `createRecordCache`; the keys are with them, so that their rotation is seen before its use. */
export const recordSelection = (namespace: string): Selection => ({ namespace, labelSelector: RECORDS_AND_KEYS });

/** Records as the reflector saw them last. They are decrypted when they are first asked for, and once for each version. */
export function createRecordCache(cache: Cache<Secret>, ring: KeyRing): RecordCache {
  const byEnvironment = new Map<string, Map<string, Stored<Secret>>>();
  const decoded = new WeakMap<Stored<Secret>, ComponentRecord>();
  /** By the Secret's name, which comes from the key: where the annotation is damaged, it is still the record that it was. */
  const keys = new Map<string, StateKey>();

  const follow = (key: StateKey, now: Stored<Secret> | undefined): void => {
    const group = `${key.namespace}/${key.environment}`;
    const members = byEnvironment.get(group) ?? new Map<string, Stored<Secret>>();
    if (now === undefined) members.delete(key.component);
    else members.set(key.component, now);
    if (members.size === 0) byEnvironment.delete(group);
    else byEnvironment.set(group, members);
  };
  const learnKey = (old: Stored<Secret> | undefined, now: Stored<Secret> | undefined): StateKey | undefined => {
    const secret = now ?? old;
    if (secret === undefined) return undefined;
    const { name } = secret.metadata;
    const told = [keyOfRecord(secret), labelledKey(secret)].find((key) => key && recordName(key) === name);
    if (told !== undefined) keys.set(name, told);
    return keys.get(name);
  };
  const decode = (secret: Stored<Secret>): ComponentRecord => {
    const known = decoded.get(secret);
    if (known !== undefined) return known;
    const record = decodeRecord(ring, secret);
    decoded.set(secret, record);
    return record;
  };
  // The first handler: whoever asks from a later one sees the new record.
  cache.onChange((old, now) => {
    const key = learnKey(old, now);
    if (key !== undefined) follow(key, now);
  });

  return {
    hasSynced: () => cache.hasSynced(),
    synced: (signal) => cache.synced(signal),
    recordsOf: (namespace, environment) =>
      readAll(byEnvironment.get(`${namespace}/${environment}`)?.values() ?? [], decode),
    measure() {
      const secrets = [...byEnvironment.values()].flatMap((members) => [...members.values()]);
      return {
        records: secrets.length,
        recordBytes: sum(secrets.map(bytesIn)),
        blobBytes: sum(secrets.map((secret) => bytesOfBlobs(() => decode(secret)))),
      };
    },
    onChange(handler) {
      cache.onChange((old, now) => {
        const key = learnKey(old, now);
        if (key !== undefined) handler(key);
      });
    },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const bytesIn = ({ data = {} }: Secret): number => sum(Object.values(data).map((text) => text.length));

/** A record that cannot be read is told of elsewhere: measuring goes on without it. */
function bytesOfBlobs(read: () => ComponentRecord): number {
  try {
    return sum(blobsOf(read()).map(({ stored, size }) => stored ?? size));
  } catch {
    return 0;
  }
}
