/**
 * What the rest of the operator may ask of Kubernetes, as plain data.
 * Objects are the JSON of the API server: timestamps are strings, unknown fields are kept.
 */

/** Names a kind's REST endpoint. `group` is "" for the core group. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Metadata as one writes it. Every object of ours has a name that was decided beforehand; `generateName` is not offered. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** Metadata as the API server returns it. */
export interface StoredMeta extends ObjectMeta {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
}

/** An object that came from the API server. */
export type Stored<T extends KubeObject> = T & { readonly metadata: StoredMeta };

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** For the whole call with its retries; 10 s unless told. */
  readonly deadlineMs?: number;
}

export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListOptions extends CallOptions, Selection {
  readonly limit?: number;
  readonly continueToken?: string;
}

export interface Page<T extends KubeObject> {
  readonly items: readonly Stored<T>[];
  readonly resourceVersion: string;
  /** Present when there is another page. */
  readonly continueToken?: string;
}

export interface WatchOptions extends Selection {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: Stored<T> }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

/** Names `namespace` as undefined for cluster-scoped resources. */
export type Namespace = string | undefined;

export interface Reader {
  /** A quorum read: sees every write that was acknowledged before. Throws `ApiError` (404) when there is none. */
  get<T extends KubeObject>(
    resource: Resource,
    namespace: Namespace,
    name: string,
    options?: CallOptions,
  ): Promise<Stored<T>>;
  /** As `get`; undefined when there is none. */
  find<T extends KubeObject>(
    resource: Resource,
    namespace: Namespace,
    name: string,
    options?: CallOptions,
  ): Promise<Stored<T> | undefined>;
  /** One page; follow `continueToken`. */
  list<T extends KubeObject>(resource: Resource, options?: ListOptions): Promise<Page<T>>;
  /** Every page (500 objects each); the deadline is for each page. */
  listAll<T extends KubeObject>(resource: Resource, options?: Omit<ListOptions, "continueToken">): Promise<Page<T>>;
}

/** Raw watch, for the reflector only: everyone else reads a `Cache`. Bookmarks are asked for. */
export interface Watcher {
  /** Resolves once the server answered; ends when the server ends it; throws `ApiError` (410 for an expired version) or `ApiUnreachable`. */
  watch<T extends KubeObject>(resource: Resource, options: WatchOptions): Promise<AsyncIterable<WatchEvent<T>>>;
}

export interface WriteOptions extends CallOptions {
  readonly subresource?: "status";
}

export interface ApplyOptions extends WriteOptions {
  /** `terrarium` unless told. */
  readonly fieldManager?: string;
  /** Take fields over from other managers; true unless told, as controllers should. */
  readonly force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /** Background unless told. */
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  readonly gracePeriodSeconds?: number;
}

export interface JsonPatchOperation {
  readonly op: "add" | "remove" | "replace" | "test" | "move" | "copy";
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** `apiVersion` and `kind` are filled in from the resource; `metadata.namespace` says where. */
export interface Writer {
  /** Not repeated after a network failure: the caller's deterministic name turns a repetition into AlreadyExists. */
  create<T extends KubeObject>(resource: Resource, object: T, options?: CallOptions): Promise<Stored<T>>;
  /**
   * Server-side apply; makes the object when there is none. `metadata.resourceVersion`, where given, is a precondition (409), and so is
   * `metadata.uid` (409 when there is none, 422 when there is another), but not for `status` of a custom resource, which ignores it.
   */
  apply<T extends KubeObject>(resource: Resource, object: T, options?: ApplyOptions): Promise<Stored<T>>;
  /** PUT of the whole object: compare-and-swap on `metadata.resourceVersion` (409 when it has moved). */
  replace<T extends KubeObject>(
    resource: Resource,
    object: T & { readonly metadata: { readonly resourceVersion: string } },
    options?: WriteOptions,
  ): Promise<Stored<T>>;
  /** RFC 7386. Put `metadata.resourceVersion` in the patch for compare-and-swap. */
  mergePatch<T extends KubeObject>(
    resource: Resource,
    namespace: Namespace,
    name: string,
    patch: Readonly<Record<string, unknown>>,
    options?: WriteOptions,
  ): Promise<Stored<T>>;
  /** RFC 6902; a `test` that fails answers 422. */
  jsonPatch<T extends KubeObject>(
    resource: Resource,
    namespace: Namespace,
    name: string,
    patch: readonly JsonPatchOperation[],
    options?: WriteOptions,
  ): Promise<Stored<T>>;
  /** Returns false when there was none. A precondition that fails throws `ApiError` (409). */
  delete(resource: Resource, namespace: Namespace, name: string, options?: DeleteOptions): Promise<boolean>;
}

export interface TokenReviewed {
  readonly authenticated: boolean;
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly audiences: readonly string[];
  /** `authentication.kubernetes.io/pod-name`, `…/pod-uid`, `…/node-name` of a pod-bound token are here. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
  readonly error?: string;
}

export interface AccessQuestion {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly verb: string;
  readonly resource: Resource;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface Reviewer {
  /** TokenReview: is this token good for one of these audiences, and whose is it? */
  reviewToken(token: string, audiences: readonly string[], options?: CallOptions): Promise<TokenReviewed>;
  /** SubjectAccessReview: may that user do this? */
  reviewAccess(
    question: AccessQuestion,
    options?: CallOptions,
  ): Promise<{ readonly allowed: boolean; readonly reason: string }>;
}

/** All verbs; take the smallest interface that serves. */
export type Client = Reader & Watcher & Writer & Reviewer;

/** A local copy that follows the API server. It may be behind: use it to decide, and compare-and-swap to write. */
export interface Cache<T extends KubeObject> {
  hasSynced(): boolean;
  /** Resolves when the first list is complete; rejects only when the signal aborts. */
  synced(signal?: AbortSignal): Promise<void>;
  get(namespace: Namespace, name: string): Stored<T> | undefined;
  list(): readonly Stored<T>[];
  byIndex(index: string, value: string): readonly Stored<T>[];
  /** `old` and `now` are never both undefined and never of different UIDs. Returns how to stop. */
  onChange(handler: (old: Stored<T> | undefined, now: Stored<T> | undefined) => void): () => void;
}

/** What an event or a status is about. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventFacts {
  readonly type: "Normal" | "Warning";
  /** CamelCase, at most 128 characters. */
  readonly reason: string;
  /** For a person; cut at 1024 bytes. */
  readonly message: string;
  /** What was being done; the reason unless told. */
  readonly action?: string;
  readonly related?: ObjectReference;
}

/** Fire and forget: never throws, never blocks, folds repeats. */
export interface EventRecorder {
  record(about: ObjectReference, facts: EventFacts): void;
}

export interface StatusWriteOptions extends CallOptions {
  /** Refuse (409) when the object changed since it was read. Another object of the same name is always refused (409). */
  readonly ifUnchanged?: boolean;
}

export interface StatusWriter {
  /**
   * Makes `status` the whole status of the object, by server-side apply. Returns false, without a request, when `current.status` already
   * says so (order of keys apart).
   */
  write<T extends KubeObject & { readonly status?: unknown }>(
    resource: Resource,
    current: Stored<T>,
    status: NonNullable<T["status"]>,
    options?: StatusWriteOptions,
  ): Promise<boolean>;
}
