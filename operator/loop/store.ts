import type { KubeObject, Stored } from "../cluster/ports.ts";
import { keyOf } from "./keys.ts";

/** Values under which an object is found again; none leaves it out. */
export type Indexes<T extends KubeObject> = Readonly<Record<string, (object: Stored<T>) => readonly string[]>>;

export interface Change<T extends KubeObject> {
  readonly old: Stored<T> | undefined;
  readonly now: Stored<T> | undefined;
}

export interface Store<T extends KubeObject> {
  get(key: string): Stored<T> | undefined;
  values(): readonly Stored<T>[];
  byIndex(index: string, value: string): readonly Stored<T>[];
  /** The changes that this brings about: none for what is known, two when the name now belongs to another object. */
  put(object: Stored<T>): readonly Change<T>[];
  remove(object: Stored<T>): readonly Change<T>[];
  /** A complete list: what is not on it has gone. */
  replace(objects: readonly Stored<T>[]): readonly Change<T>[];
}

export function createStore<T extends KubeObject>(
  indexes: Indexes<T> = {},
  onIndexError: (error: unknown) => void = () => {},
): Store<T> {
  const objects = new Map<string, Stored<T>>();
  const lookups = new Map(Object.keys(indexes).map((name) => [name, new Map<string, Set<string>>()]));

  const valuesOf = (index: string, object: Stored<T>): readonly string[] => {
    try {
      return indexes[index]?.(object) ?? [];
    } catch (error) {
      onIndexError(error);
      return [];
    }
  };
  const index = (key: string, object: Stored<T>): void => {
    for (const [name, lookup] of lookups) {
      for (const value of valuesOf(name, object)) {
        const keys = lookup.get(value) ?? new Set();
        lookup.set(value, keys.add(key));
      }
    }
  };
  const unindex = (key: string, object: Stored<T>): void => {
    for (const [name, lookup] of lookups) {
      for (const value of valuesOf(name, object)) {
        const keys = lookup.get(value);
        keys?.delete(key);
        if (keys?.size === 0) lookup.delete(value);
      }
    }
  };
  const set = (key: string, old: Stored<T> | undefined, now: Stored<T> | undefined): void => {
    if (old !== undefined) unindex(key, old);
    if (now === undefined) objects.delete(key);
    else {
      objects.set(key, now);
      index(key, now);
    }
  };

  const put = (object: Stored<T>): readonly Change<T>[] => {
    const key = keyOf(object);
    const old = objects.get(key);
    // Equality is all that may be asked of resource versions: a repeated event says nothing new.
    if (old !== undefined && sameObject(old, object) && sameVersion(old, object)) return [];
    set(key, old, object);
    if (old === undefined || sameObject(old, object)) return [{ old, now: object }];
    return [
      { old, now: undefined },
      { old: undefined, now: object },
    ];
  };
  const remove = (object: Stored<T>): readonly Change<T>[] => {
    const key = keyOf(object);
    const old = objects.get(key);
    // The end of an earlier object of this name.
    if (old === undefined || !sameObject(old, object)) return [];
    set(key, old, undefined);
    return [{ old: object, now: undefined }];
  };

  return {
    get: (key) => objects.get(key),
    values: () => [...objects.values()],
    byIndex(name, value) {
      const lookup = lookups.get(name);
      if (lookup === undefined) throw new TypeError(`There is no index "${name}"`);
      return [...(lookup.get(value) ?? [])].flatMap((key) => objects.get(key) ?? []);
    },
    put,
    remove,
    replace(list) {
      const listed = new Set(list.map(keyOf));
      const gone = [...objects].filter(([key]) => !listed.has(key)).flatMap(([, object]) => remove(object));
      return [...gone, ...list.flatMap(put)];
    },
  };
}

const sameObject = (a: Stored<KubeObject>, b: Stored<KubeObject>): boolean => a.metadata.uid === b.metadata.uid;
const sameVersion = (a: Stored<KubeObject>, b: Stored<KubeObject>): boolean =>
  a.metadata.resourceVersion === b.metadata.resourceVersion;
