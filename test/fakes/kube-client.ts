import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ApiError, isNotFound } from "../../operator/cluster/errors.ts";
import type {
  KubeObject,
  ListOptions,
  Namespace,
  Reader,
  Resource,
  Reviewer,
  Stored,
  TokenReviewed,
  Writer,
} from "../../operator/cluster/ports.ts";
import { selected } from "./selected.ts";

export type FakeVerb = "get" | "list" | "create" | "apply" | "replace" | "patch" | "delete" | "reviewToken";

/** Told about each call; throw to make it fail. */
export interface FakeFaults {
  before?: (verb: FakeVerb, resource: string, name: string) => void;
  after?: (verb: FakeVerb, resource: string, name: string) => void;
}

export type FakeClient = Pick<Reader, "get" | "find" | "list" | "listAll"> &
  Pick<Writer, "create" | "apply" | "replace" | "delete" | "jsonPatch" | "mergePatch"> &
  Pick<Reviewer, "reviewToken"> & {
    faults: FakeFaults;
    /** What TokenReview answers for a token. */
    readonly tokens: Map<string, TokenReviewed>;
    /** Puts an object there as it is, with a UID of one's choice. */
    seed<T extends KubeObject>(resource: Resource, object: T): Stored<T>;
    objects(resource: Resource): readonly Stored<KubeObject>[];
    readonly calls: string[];
  };

const STORED_SECRET_BYTES = 1024 * 1024;

/** The part of an API server's behaviour on which store and gateway rely: versions, preconditions, finalizers, immutable Secrets, merge patches. */
export function fakeKubeClient(now: () => Date = () => new Date()): FakeClient {
  const all = new Map<string, Stored<KubeObject>>();
  const calls: string[] = [];
  const tokens = new Map<string, TokenReviewed>();
  let version = 100;

  const idOf = (resource: Resource, namespace: Namespace, name: string) =>
    `${resource.plural}/${namespace ?? ""}/${name}`;
  const refuse = (request: string, status: number, reason: string): never => {
    throw new ApiError({ request, status, reason, message: reason });
  };
  const put = <T extends KubeObject>(resource: Resource, object: T): Stored<T> => {
    version += 1;
    const { metadata } = object;
    const stored = structuredClone({
      ...object,
      metadata: {
        ...metadata,
        uid: metadata.uid ?? randomUUID(),
        creationTimestamp: metadata.creationTimestamp ?? now().toISOString(),
        resourceVersion: String(version),
      },
    });
    const finalized =
      stored.metadata.deletionTimestamp !== undefined && (stored.metadata.finalizers ?? []).length === 0;
    if (finalized) all.delete(idOf(resource, metadata.namespace, metadata.name));
    else all.set(idOf(resource, metadata.namespace, metadata.name), stored);
    return structuredClone(stored);
  };
  const call = async <T>(verb: FakeVerb, resource: Resource, name: string, work: () => T): Promise<T> => {
    calls.push(`${verb} ${resource.plural} ${name}`);
    await new Promise<void>((resolve) => setImmediate(resolve));
    client.faults.before?.(verb, resource.plural, name);
    const answer = work();
    client.faults.after?.(verb, resource.plural, name);
    return answer;
  };
  const current = (resource: Resource, namespace: Namespace, name: string): Stored<KubeObject> =>
    all.get(idOf(resource, namespace, name)) ?? refuse(`get ${name}`, 404, "NotFound");
  const mustFit = (object: KubeObject): void => {
    const { data } = object as { data?: Record<string, string> };
    const bytes = Object.values(data ?? {}).reduce((sum, text) => sum + Buffer.byteLength(text, "base64"), 0);
    if (bytes > STORED_SECRET_BYTES) refuse("write", 422, "Invalid");
  };

  const client: FakeClient = {
    faults: {},
    tokens,
    calls,
    seed: (resource, object) => put(resource, object),
    objects: (resource) => [...all].filter(([id]) => id.startsWith(`${resource.plural}/`)).map(([, object]) => object),
    get: <T extends KubeObject>(resource: Resource, namespace: Namespace, name: string) =>
      call("get", resource, name, () => structuredClone(current(resource, namespace, name)) as Stored<T>),
    find: <T extends KubeObject>(resource: Resource, namespace: Namespace, name: string) =>
      call(
        "get",
        resource,
        name,
        () => structuredClone(all.get(idOf(resource, namespace, name))) as Stored<T> | undefined,
      ).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
    list: <T extends KubeObject>(resource: Resource, options: ListOptions = {}) =>
      call("list", resource, "", () => {
        const found = [...all]
          .filter(([id]) => id.startsWith(`${resource.plural}/${options.namespace ?? ""}`))
          .map(([, object]) => object)
          .filter((object) => selected(object, options.labelSelector));
        const from = Number(options.continueToken ?? 0);
        const to = from + (options.limit ?? found.length);
        const page = {
          items: structuredClone(found.slice(from, to)) as unknown as Stored<T>[],
          resourceVersion: String(version),
        };
        return to < found.length ? { ...page, continueToken: String(to) } : page;
      }),
    listAll: (resource, { limit: _limit, ...options } = {}) => client.list(resource, options),
    create: (resource, object) =>
      call("create", resource, object.metadata.name, () => {
        mustFit(object);
        if (all.has(idOf(resource, object.metadata.namespace, object.metadata.name)))
          refuse("create", 409, "AlreadyExists");
        return put(resource, object);
      }),
    apply: <T extends KubeObject>(resource: Resource, object: T) =>
      call("apply", resource, object.metadata.name, () => {
        mustFit(object);
        const old = all.get(idOf(resource, object.metadata.namespace, object.metadata.name));
        const now = merged(old, object) as T & { data?: unknown };
        const before = old as (KubeObject & { immutable?: boolean; data?: unknown }) | undefined;
        if (before?.immutable === true && !isDeepStrictEqual(before.data, now.data)) refuse("apply", 422, "Invalid");
        return put(resource, now);
      }),
    replace: (resource, object) =>
      call("replace", resource, object.metadata.name, () => {
        mustFit(object);
        const { metadata } = object;
        const old = current(resource, metadata.namespace, metadata.name);
        if (old.metadata.resourceVersion !== metadata.resourceVersion) refuse("replace", 409, "Conflict");
        if ((old as { immutable?: boolean }).immutable) refuse("replace", 422, "Invalid");
        const { uid, creationTimestamp, deletionTimestamp } = old.metadata;
        const kept = deletionTimestamp === undefined ? {} : { deletionTimestamp };
        return put(resource, { ...object, metadata: { ...metadata, uid, creationTimestamp, ...kept } });
      }),
    mergePatch: <T extends KubeObject>(
      resource: Resource,
      namespace: Namespace,
      name: string,
      patch: Readonly<Record<string, unknown>>,
      { signal }: { readonly signal?: AbortSignal } = {},
    ) =>
      call("patch", resource, name, () => {
        signal?.throwIfAborted();
        const old = current(resource, namespace, name);
        const { uid, resourceVersion } = (patch.metadata ?? {}) as Partial<Stored<KubeObject>["metadata"]>;
        if (uid !== undefined && uid !== old.metadata.uid) refuse("patch", 409, "Conflict");
        if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
          refuse("patch", 409, "Conflict");
        return put(resource, merged(old, patch) as Stored<T>);
      }),
    jsonPatch: <T extends KubeObject>(resource: Resource, namespace: Namespace, name: string) =>
      call("patch", resource, name, () => {
        const old = current(resource, namespace, name);
        if (old.metadata.finalizers === undefined) refuse("patch", 422, "Invalid");
        const { finalizers: _gone, ...metadata } = old.metadata;
        return put(resource, { ...old, metadata }) as Stored<T>;
      }),
    delete: (resource, namespace, name, options = {}) =>
      call("delete", resource, name, () => {
        const old = all.get(idOf(resource, namespace, name));
        if (old === undefined) return false;
        const { uid, resourceVersion } = options.preconditions ?? {};
        if (uid !== undefined && uid !== old.metadata.uid) refuse("delete", 409, "Conflict");
        if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion)
          refuse("delete", 409, "Conflict");
        put(resource, { ...old, metadata: { ...old.metadata, deletionTimestamp: now().toISOString() } });
        return true;
      }),
    reviewToken: (token) =>
      call(
        "reviewToken",
        { group: "", version: "", plural: "tokenreviews", kind: "", namespaced: false },
        "",
        () =>
          tokens.get(token) ?? { authenticated: false, username: "", uid: "", groups: [], audiences: [], extra: {} },
      ),
  };
  return client;
}

function merged(old: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof old === "object" && old !== null ? { ...old } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
