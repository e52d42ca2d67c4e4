import type { Secret } from "../cluster/kinds.ts";
import type { Cache, Selection, Stored } from "../cluster/ports.ts";
import type { KeyRing } from "./key-ring.ts";
import type { RecordCache } from "./port.ts";
import type { ComponentRecord, StateKey } from "./record.ts";
import { decodeRecord, keyOfRecord } from "./record-codec.ts";
import { RECORDS } from "./secret-names.ts";

/** What a reflector on SECRETS must select for `createRecordCache`. */
export const recordSelection = (namespace: string): Selection => ({ namespace, labelSelector: RECORDS });

/** Records as the reflector saw them last. They are decrypted when they are first asked for, and once for each version. */
export function createRecordCache(cache: Cache<Secret>, ring: KeyRing): RecordCache {
  const byEnvironment = new Map<string, Map<string, Stored<Secret>>>();
  const decoded = new WeakMap<Stored<Secret>, ComponentRecord>();

  const follow = (key: StateKey, now: Stored<Secret> | undefined): void => {
    const group = `${key.namespace}/${key.environment}`;
    const members = byEnvironment.get(group) ?? new Map<string, Stored<Secret>>();
    if (now === undefined) members.delete(key.component);
    else members.set(key.component, now);
    if (members.size === 0) byEnvironment.delete(group);
    else byEnvironment.set(group, members);
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
    const key = keyIn(old, now);
    if (key !== undefined) follow(key, now);
  });

  return {
    hasSynced: () => cache.hasSynced(),
    recordsOf: (namespace, environment) =>
      [...(byEnvironment.get(`${namespace}/${environment}`)?.values() ?? [])].map(decode),
    onChange(handler) {
      cache.onChange((old, now) => {
        const key = keyIn(old, now);
        if (key !== undefined) handler(key);
      });
    },
  };
}

function keyIn(old: Stored<Secret> | undefined, now: Stored<Secret> | undefined): StateKey | undefined {
  const secret = now ?? old;
  return secret === undefined ? undefined : keyOfRecord(secret);
}
