import type { KubeObject, Stored } from "../../operator/cluster/ports.ts";
import { keyFor } from "../../operator/loop/keys.ts";
import type { Reflector } from "../../operator/loop/reflector.ts";
import { type Change, createStore, type Indexes } from "../../operator/loop/store.ts";
import type { RecordCache } from "../../operator/storage/port.ts";
import { type ComponentRecord, type StateKey, stateKeyText } from "../../operator/storage/record.ts";
import type { ApiEvent, WorldApi } from "./world-api.ts";

/** A copy that hears of changes when the world lets it. */
export interface Lagging {
  readonly name: string;
  /** Changes that it has not heard of yet. */
  behind(): number;
  deliver(count: number): void;
  /** The next change is never told: the copy is wrong until it lists anew. */
  drop(): void;
  /** The last changes are told once more, from the oldest on. */
  goBack(count: number): void;
  /** True: it has missed something. */
  isTorn(): boolean;
  relist(): void;
}

type Handler<T extends KubeObject> = Parameters<Reflector<T>["onChange"]>[0];

/** Begins with all that there is, as a fresh list does: the operator lists without a version, which no API server answers from the past. */
export function laggingCache<T extends KubeObject>(
  api: WorldApi,
  plural: string,
  indexes: Indexes<T> = {},
): Reflector<T> & Lagging {
  const log = api.logOf(plural);
  const store = createStore<T>(indexes);
  const handlers = new Set<Handler<T>>();
  let heard = log.length;
  let torn = false;

  const tell = (changes: readonly Change<T>[]): void => {
    for (const change of changes) for (const handler of handlers) handler(change.old, change.now);
  };
  const changesBy = ({ old: before, now }: ApiEvent): readonly Change<T>[] => {
    if (now !== undefined) return store.put(now as unknown as Stored<T>);
    return before === undefined ? [] : store.remove(before as unknown as Stored<T>);
  };
  store.replace(api.all<T>(plural));

  return {
    name: plural,
    behind: () => log.length - heard,
    deliver(count) {
      for (let done = 0; done < count && heard < log.length; done += 1) {
        heard += 1;
        tell(changesBy(log[heard - 1] as ApiEvent));
      }
    },
    drop() {
      if (heard === log.length) return;
      heard += 1;
      torn = true;
    },
    goBack(count) {
      heard = Math.max(0, heard - count);
    },
    isTorn: () => torn,
    relist() {
      heard = log.length;
      torn = false;
      tell(store.replace(api.all<T>(plural)));
    },
    hasSynced: () => true,
    synced: () => Promise.resolve(),
    run: () => Promise.resolve(),
    get: (namespace, name) => store.get(keyFor(namespace, name)),
    list: store.values,
    byIndex: store.byIndex,
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

export function laggingRecords({ versions }: RecordLog): RecordCache & Lagging {
  const handlers: ((key: StateKey) => void)[] = [];
  let heard = versions.length - 1;
  const byKey = (version: number) =>
    new Map((versions[version] ?? []).map((record) => [stateKeyText(record.key), record] as const));
  const moveTo = (version: number): void => {
    const [before, after] = [byKey(heard), byKey(version)];
    heard = version;
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      const [was, now] = [before.get(name), after.get(name)];
      const key = (now ?? was)?.key;
      if (key === undefined || was === now) continue;
      for (const handler of handlers) handler(key);
    }
  };
  const behind = () => versions.length - 1 - heard;
  return {
    name: "records",
    behind,
    deliver(count) {
      for (let done = 0; done < count && behind() > 0; done += 1) moveTo(heard + 1);
    },
    // Each version holds all records: what is missed shows in the next one.
    drop: () => {},
    goBack: () => {},
    isTorn: () => false,
    relist: () => moveTo(versions.length - 1),
    hasSynced: () => true,
    synced: () => Promise.resolve(),
    recordsOf: (namespace, environment) =>
      (versions[heard] ?? []).filter(({ key }) => key.namespace === namespace && key.environment === environment),
    measure: () => ({ records: (versions[heard] ?? []).length, recordBytes: 0, blobBytes: 0 }),
    onChange: (handler) => void handlers.push(handler),
  };
}
