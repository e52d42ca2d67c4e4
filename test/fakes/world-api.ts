import { ApiError } from "../../operator/cluster/errors.ts";
import type {
  JsonPatchOperation,
  KubeObject,
  Namespace,
  ObjectMeta,
  Resource,
  Stored,
} from "../../operator/cluster/ports.ts";
import type { Clock } from "../../operator/loop/clock.ts";
import { frozenCopy, sameJson } from "./frozen.ts";

export type AnyObject = Stored<KubeObject> & { readonly spec?: unknown; readonly status?: Record<string, unknown> };

export interface ApiEvent {
  readonly plural: string;
  readonly old: AnyObject | undefined;
  readonly now: AnyObject | undefined;
}

/**
 * An API server in memory: versions, generations, preconditions, finalizers, status by field manager, owners. Every answer is frozen: nobody can
 * change by accident what another one was given, and nothing has to be copied.
 */
export interface WorldApi {
  /** All that happened, in order: what watches tell. */
  readonly log: readonly ApiEvent[];
  /** What happened to one kind. */
  logOf(plural: string): readonly ApiEvent[];
  onEvent(handler: (event: ApiEvent) => void): void;
  all<T extends KubeObject>(plural: string): readonly Stored<T>[];
  find<T extends KubeObject>(plural: string, namespace: Namespace, name: string): Stored<T> | undefined;
  create(resource: Resource, object: KubeObject): AnyObject;
  /** Changes an object as its owner of another program would: the new object, or undefined to leave it. */
  edit<T extends KubeObject>(
    resource: Resource,
    namespace: Namespace,
    name: string,
    change: (object: Stored<T>) => object,
  ): void;
  applyStatus(resource: Resource, object: KubeObject & { readonly status?: unknown }, manager: string): AnyObject;
  applyObject(resource: Resource, object: KubeObject): AnyObject;
  mergePatch(
    resource: Resource,
    place: readonly [Namespace, string],
    patch: Patch,
    options: { readonly status: boolean; readonly manager: string },
  ): AnyObject;
  /** Knows `test` and `remove`. */
  jsonPatch(resource: Resource, place: readonly [Namespace, string], patch: readonly JsonPatchOperation[]): AnyObject;
  delete(resource: Resource, namespace: Namespace, name: string, uid: string | undefined): boolean;
  /** Deletes the first object whose owner is gone, as the garbage collector does; false where there is none. */
  collectOrphan(resources: readonly Resource[]): boolean;
}

/** As Kubernetes does it: the deletion of a pod is dated at the end of its grace. */
function graceMs({ spec }: AnyObject): number {
  const { terminationGracePeriodSeconds: seconds = 0 } = (spec ?? {}) as { terminationGracePeriodSeconds?: number };
  return seconds * 1000;
}

type Members = Record<string, unknown>;

export type Patch = Readonly<Record<string, unknown>>;

const refuse = (request: string, status: number, reason: string): never => {
  throw new ApiError({ request, status, reason, message: reason });
};

export function createWorldApi(clock: Pick<Clock, "now">): WorldApi {
  const kinds = new Map<string, Map<string, AnyObject>>();
  const logs = new Map<string, ApiEvent[]>();
  /** Which manager set which field of which status, by `id/field`. */
  const managers = new Map<string, string>();
  const log: ApiEvent[] = [];
  const handlers: ((event: ApiEvent) => void)[] = [];
  let version = 0;
  let uids = 0;

  const idOf = (plural: string, namespace: Namespace, name: string) => `${plural}/${namespace ?? ""}/${name}`;
  const placeOf = (namespace: Namespace, name: string) => `${namespace ?? ""}/${name}`;
  const objectsOf = (plural: string): Map<string, AnyObject> => emplaced(kinds, plural, () => new Map());
  const logOf = (plural: string): ApiEvent[] => emplaced(logs, plural, () => []);
  const held = (plural: string, namespace: Namespace, name: string) => objectsOf(plural).get(placeOf(namespace, name));
  const tell = (event: ApiEvent): void => {
    log.push(event);
    logOf(event.plural).push(event);
    for (const handler of handlers) handler(event);
  };
  const current = ({ plural }: Resource, namespace: Namespace, name: string): AnyObject =>
    held(plural, namespace, name) ?? refuse(`${plural} ${name}`, 404, "NotFound");
  const put = ({ plural }: Resource, old: AnyObject | undefined, next: KubeObject): AnyObject => {
    if (old !== undefined && sameJson(old, next)) return old;
    const place = placeOf(next.metadata.namespace, next.metadata.name);
    version += 1;
    const meta: ObjectMeta = { ...next.metadata, resourceVersion: String(version) };
    const now = frozenCopy({ ...next, metadata: meta }) as AnyObject;
    const gone = meta.deletionTimestamp !== undefined && (meta.finalizers ?? []).length === 0;
    if (gone) objectsOf(plural).delete(place);
    else objectsOf(plural).set(place, now);
    tell({ plural, old, now: gone ? undefined : now });
    return now;
  };
  const mustFit = (object: AnyObject, wanted: Partial<ObjectMeta>): void => {
    const { uid, resourceVersion } = object.metadata;
    if (wanted.uid !== undefined && wanted.uid !== uid) refuse(object.metadata.name, 409, "Conflict");
    if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion)
      refuse(object.metadata.name, 409, "Conflict");
  };

  const api: WorldApi = {
    log,
    logOf,
    onEvent: (handler) => void handlers.push(handler),
    all: <T extends KubeObject>(plural: string) => [...objectsOf(plural).values()] as unknown as Stored<T>[],
    find: <T extends KubeObject>(plural: string, namespace: Namespace, name: string) =>
      held(plural, namespace, name) as unknown as Stored<T> | undefined,
    create(resource, object) {
      const { metadata } = object;
      if (held(resource.plural, metadata.namespace, metadata.name) !== undefined)
        refuse(metadata.name, 409, "AlreadyExists");
      uids += 1;
      const uid = `${resource.plural}-${uids}`;
      const born = { uid, generation: 1, creationTimestamp: clock.now().toISOString() };
      return put(resource, undefined, { ...object, metadata: { ...metadata, ...born } });
    },
    edit<T extends KubeObject>(
      resource: Resource,
      namespace: Namespace,
      name: string,
      change: (object: Stored<T>) => object,
    ) {
      const old = current(resource, namespace, name);
      const next = change(old as unknown as Stored<T>) as AnyObject;
      const generation = (old.metadata.generation ?? 1) + (sameJson(old.spec, next.spec) ? 0 : 1);
      put(resource, old, { ...next, metadata: { ...next.metadata, generation } });
    },
    applyStatus(resource, object, manager) {
      const { namespace, name, resourceVersion } = object.metadata;
      const old = current(resource, namespace, name);
      // The status of a custom resource ignores a UID, but not a version.
      mustFit(old, resourceVersion === undefined ? {} : { resourceVersion });
      const id = idOf(resource.plural, namespace, name);
      const wanted = (object.status ?? {}) as Record<string, unknown>;
      const kept = Object.entries(old.status ?? {}).filter(
        ([field]) => !(field in wanted) && managers.get(`${id}/${field}`) !== manager,
      );
      for (const field of Object.keys(wanted)) managers.set(`${id}/${field}`, manager);
      const status = { ...Object.fromEntries(kept), ...wanted };
      return put(resource, old, { ...old, status } as KubeObject);
    },
    applyObject(resource, object) {
      const { namespace, name } = object.metadata;
      const old = held(resource.plural, namespace, name);
      if (old === undefined) return api.create(resource, object);
      return put(resource, old, { ...old, ...object, metadata: { ...old.metadata, ...object.metadata } });
    },
    mergePatch(resource, [namespace, name], patch, { status, manager }) {
      const old = current(resource, namespace, name);
      mustFit(old, (patch.metadata ?? {}) as Partial<ObjectMeta>);
      const id = idOf(resource.plural, namespace, name);
      for (const field of Object.keys((patch.status ?? {}) as object)) managers.set(`${id}/${field}`, manager);
      const { metadata: _metadata, ...rest } = patch;
      return put(resource, old, merged(old, status ? rest : patch) as AnyObject);
    },
    jsonPatch(resource, [namespace, name], operations) {
      const old = current(resource, namespace, name);
      let next: unknown = old;
      for (const { op, path, value } of operations) {
        const steps = stepsOf(path);
        const found = steps.reduce<unknown>((at, step) => (at as Members | undefined)?.[step], next);
        if (op === "test" && sameJson(found, value)) continue;
        if (op !== "remove" || found === undefined) refuse(name, 422, "Invalid");
        next = withoutMember(next, steps);
      }
      return put(resource, old, next as AnyObject);
    },
    delete(resource, namespace, name, uid) {
      const old = held(resource.plural, namespace, name);
      if (old === undefined) return false;
      mustFit(old, uid === undefined ? {} : { uid });
      if (old.metadata.deletionTimestamp !== undefined) return true;
      const generation = (old.metadata.generation ?? 1) + 1;
      const deletionTimestamp = new Date(clock.now().getTime() + graceMs(old)).toISOString();
      const metadata = { ...old.metadata, generation, deletionTimestamp };
      put(resource, old, { ...old, metadata });
      return true;
    },
    collectOrphan(resources) {
      const uidsAlive = new Set(
        [...kinds.values()].flatMap((objects) => [...objects.values()].map(({ metadata }) => metadata.uid)),
      );
      for (const resource of resources) {
        const orphan = api
          .all(resource.plural)
          .find(
            ({ metadata }) =>
              metadata.deletionTimestamp === undefined &&
              metadata.ownerReferences?.some((owner) => !uidsAlive.has(owner.uid)),
          );
        if (orphan === undefined) continue;
        return api.delete(resource, orphan.metadata.namespace, orphan.metadata.name, undefined);
      }
      return false;
    },
  };
  return api;
}

function emplaced<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** RFC 6901. */
const stepsOf = (path: string): readonly string[] =>
  path
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** A copy along the path alone: the rest is shared. */
function withoutMember(value: unknown, [step = "", ...deeper]: readonly string[]): unknown {
  if (Array.isArray(value))
    return deeper.length === 0
      ? value.toSpliced(Number(step), 1)
      : value.with(Number(step), withoutMember(value[Number(step)], deeper));
  const { [step]: member, ...others } = value as Members;
  return deeper.length === 0 ? others : { ...others, [step]: withoutMember(member, deeper) };
}

/** RFC 7386. */
function merged(old: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof old === "object" && old !== null ? { ...old } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
