import type { KubeObject, Namespace, Stored } from "../../operator/cluster/ports.ts";
import type { Reflector } from "../../operator/loop/reflector.ts";
import type { RecordCache } from "../../operator/storage/port.ts";
import { type ComponentRecord, type StateKey, stateKeyText } from "../../operator/storage/record.ts";
import type { WorldApi } from "./world-api.ts";

/** A copy that hears of changes when the world lets it. */
export interface Lagging {
  readonly name: string;
  /** Changes that it has not heard of yet. */
  behind(): number;
  deliver(count: number): void;
}

type Handler<T extends KubeObject> = Parameters<Reflector<T>["onChange"]>[0];
type Index<T extends KubeObject> = (object: Stored<T>) => readonly string[];

const idOf = (namespace: Namespace, name: string): string => `${namespace ?? ""}/${name}`;

/** Begins with all that there is, as a fresh list does. */
export function laggingCache<T extends KubeObject>(
  api: WorldApi,
  plural: string,
  indexes: Readonly<Record<string, Index<T>>> = {},
): Reflector<T> & Lagging {
  const held = new Map<string, Stored<T>>(
    api
      .all<T>(plural)
      .map((object) => [idOf(object.metadata.namespace, object.metadata.name), structuredClone(object)]),
  );
  const handlers = new Set<Handler<T>>();
  let heard = api.log.length;

  const nextEvent = () => {
    while (heard < api.log.length && api.log[heard]?.plural !== plural) heard += 1;
    return api.log[heard];
  };
  const hear = (): void => {
    const event = nextEvent();
    if (event === undefined) return;
    heard += 1;
    const { metadata } = (event.now ?? event.old) as Stored<T>;
    const id = idOf(metadata.namespace, metadata.name);
    const old = held.get(id);
    const now = structuredClone(event.now) as unknown as Stored<T> | undefined;
    if (now === undefined) held.delete(id);
    else held.set(id, now);
    if (old !== undefined && now !== undefined && old.metadata.uid !== now.metadata.uid) {
      for (const handler of handlers) handler(old, undefined);
      for (const handler of handlers) handler(undefined, now);
    } else if (old !== undefined || now !== undefined) for (const handler of handlers) handler(old, now);
  };
  return {
    name: plural,
    behind: () => api.log.slice(heard).filter((event) => event.plural === plural).length,
    deliver(count) {
      for (let done = 0; done < count; done += 1) hear();
    },
    hasSynced: () => true,
    synced: () => Promise.resolve(),
    run: () => Promise.resolve(),
    get: (namespace, name) => held.get(idOf(namespace, name)),
    list: () => [...held.values()],
    byIndex: (index, value) => [...held.values()].filter((object) => indexes[index]?.(object).includes(value) ?? false),
    onChange(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
  };
}

export interface RecordLog {
  /** All records, after each change. */
  readonly versions: (readonly ComponentRecord[])[];
}

export function laggingRecords(log: RecordLog): RecordCache & Lagging {
  const handlers: ((key: StateKey) => void)[] = [];
  let heard = log.versions.length - 1;
  const byKey = (version: number) =>
    new Map((log.versions[version] ?? []).map((record) => [stateKeyText(record.key), record] as const));
  return {
    name: "records",
    behind: () => log.versions.length - 1 - heard,
    deliver(count) {
      for (let done = 0; done < count && heard < log.versions.length - 1; done += 1) {
        const [before, after] = [byKey(heard), byKey(heard + 1)];
        heard += 1;
        for (const name of new Set([...before.keys(), ...after.keys()])) {
          const [old, now] = [before.get(name), after.get(name)];
          const key = (now ?? old)?.key;
          if (key === undefined || JSON.stringify(old) === JSON.stringify(now)) continue;
          for (const handler of handlers) handler(key);
        }
      }
    },
    hasSynced: () => true,
    recordsOf: (namespace, environment) =>
      (log.versions[heard] ?? []).filter(({ key }) => key.namespace === namespace && key.environment === environment),
    measure: () => ({ records: (log.versions[heard] ?? []).length, recordBytes: 0, blobBytes: 0 }),
    onChange: (handler) => void handlers.push(handler),
  };
}
