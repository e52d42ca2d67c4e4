import { ApiError, isGone } from "../cluster/errors.ts";
import type { Cache, KubeObject, Reader, Resource, Selection, Stored, Watcher } from "../cluster/ports.ts";
import type { Clock } from "./clock.ts";
import { keyFor } from "./keys.ts";
import { type Change, createStore, type Indexes } from "./store.ts";

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: Pick<Reader, "listAll"> & Watcher;
  readonly resource: Resource;
  readonly selection?: Selection;
  readonly indexes?: Indexes<T>;
  readonly clock: Clock;
  readonly random?: () => number;
  /** List again and begin the watch anew when it has said nothing, not even a bookmark (one a minute), for this long. */
  readonly silenceMs?: number;
  /** List everything again when that long has passed: an event that a server never sent is found then. An hour unless told. */
  readonly relistMs?: number;
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
  readonly hooks?: ReflectorHooks;
}

export interface ReflectorHooks {
  readonly onList?: (resource: Resource, count: number) => void;
  /** A watch said something: ADDED, MODIFIED, DELETED or BOOKMARK. */
  readonly onEvent?: (resource: Resource, type: string) => void;
  /** Something went wrong and is tried again after that long. */
  readonly onRestart?: (resource: Resource, error: unknown, pauseMs: number) => void;
  /** A handler or an index threw. */
  readonly onHandlerError?: (resource: Resource, error: unknown) => void;
}

export interface Reflector<T extends KubeObject> extends Cache<T> {
  /** Follows the API server until the signal aborts; resolves then, never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

type Handler<T extends KubeObject> = Parameters<Cache<T>["onChange"]>[0];

interface Progress {
  /** Where to go on watching; undefined: list first. */
  version: string | undefined;
  listedAt: number;
  /** In a row, without an event in between. */
  failures: number;
}

const LIST_DEADLINE_MS = 30_000;
const RELIST_MS = 60 * 60_000;
/** A watch that ends sooner was not worth opening. */
const SHORTEST_WATCH_MS = 1_000;
/** A version may be one that the server never heard of (a restored backup): do not ask for it for ever. */
const FAILURES_BEFORE_LIST = 3;

export function createReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
  const { clock, resource, hooks = {}, relistMs = RELIST_MS } = options;
  const onHandlerError = (error: unknown) => hooks.onHandlerError?.(resource, error);
  const store = createStore<T>(options.indexes, onHandlerError);
  const handlers = new Set<Handler<T>>();
  const synced = Promise.withResolvers<void>();
  let hasSynced = false;

  const tell = (handler: Handler<T>, change: Change<T>): void => {
    try {
      handler(change.old, change.now);
    } catch (error) {
      onHandlerError(error);
    }
  };
  const publish = (changes: readonly Change<T>[]): void => {
    for (const change of changes) for (const handler of handlers) tell(handler, change);
  };
  const list = async (signal: AbortSignal): Promise<string> => {
    const { items, resourceVersion } = await options.client.listAll<T>(resource, {
      ...options.selection,
      signal,
      deadlineMs: LIST_DEADLINE_MS,
    });
    publish(store.replace(items.map(lighten)));
    hooks.onList?.(resource, items.length);
    hasSynced = true;
    synced.resolve();
    return resourceVersion;
  };
  const follow = async (from: string, progress: Progress, watching: Watching): Promise<void> => {
    const longestSeconds = Math.max(1, Math.round(relistMs / 1000));
    const timeoutSeconds = Math.min(longestSeconds, Math.round(300 + 300 * (options.random ?? Math.random)()));
    const { signal } = watching;
    const selected = { ...options.selection, resourceVersion: from, timeoutSeconds, signal };
    for await (const event of await options.client.watch<T>(resource, selected)) {
      watching.heard();
      progress.failures = 0;
      if (event.type === "BOOKMARK") progress.version = event.resourceVersion;
      else {
        const object = lighten(event.object);
        publish(event.type === "DELETED" ? store.remove(object) : store.put(object));
        progress.version = object.metadata.resourceVersion;
      }
      hooks.onEvent?.(resource, event.type);
    }
  };
  const round = async (progress: Progress, signal: AbortSignal): Promise<void> => {
    if (clock.monotonicMs() - progress.listedAt >= relistMs) progress.version = undefined;
    if (progress.version === undefined) {
      progress.version = await list(signal);
      progress.listedAt = clock.monotonicMs();
    }
    const startedAt = clock.monotonicMs();
    const watching = watchOver(clock, options.silenceMs ?? 150_000, signal);
    try {
      await follow(progress.version, progress, watching);
    } finally {
      watching.end();
      if (watching.fellSilent()) progress.version = undefined;
    }
    // The server ends a watch after some minutes. One that ends at once would be a hot loop.
    const livedMs = clock.monotonicMs() - startedAt;
    if (livedMs < SHORTEST_WATCH_MS) throw new Error("the watch ended as soon as it began");
    progress.failures = 0;
  };
  const pauseAfter = (error: unknown, failures: number): number => {
    const { random = Math.random, firstPauseMs = 1_000, longestPauseMs = 30_000 } = options;
    const backoff = Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1)) * (0.8 + 0.4 * random());
    return Math.max(backoff, error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0);
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    const progress: Progress = { version: undefined, listedAt: 0, failures: 0 };
    while (!signal.aborted) {
      try {
        await round(progress, signal);
      } catch (error) {
        if (signal.aborted) return;
        progress.failures += 1;
        if (isGone(error) || progress.failures >= FAILURES_BEFORE_LIST) progress.version = undefined;
        const pauseMs = pauseAfter(error, progress.failures);
        hooks.onRestart?.(resource, error, pauseMs);
        await clock.sleep(pauseMs, signal).catch(() => {});
      }
    }
  };

  return {
    run,
    hasSynced: () => hasSynced,
    synced: (signal) => unlessAborted(synced.promise, signal),
    get: (namespace, name) => store.get(keyFor(namespace, name)),
    list: store.values,
    byIndex: store.byIndex,
    onChange(handler) {
      handlers.add(handler);
      for (const now of store.values()) tell(handler, { old: undefined, now });
      return () => handlers.delete(handler);
    },
  };
}

interface Watching {
  readonly signal: AbortSignal;
  heard(): void;
  /** A server that was restored from a backup says nothing, not even a bookmark, to a watch from a version that it has yet to reach. */
  fellSilent(): boolean;
  end(): void;
}

/** Aborts a watch that has gone silent, and every watch when the reflector stops. */
function watchOver(clock: Clock, silenceMs: number, outer: AbortSignal): Watching {
  const abort = new AbortController();
  const forward = () => abort.abort(outer.reason);
  outer.addEventListener("abort", forward, { once: true });
  let heardAt = clock.monotonicMs();
  let silent = false;
  let cancel = () => {};
  // One timer for many events: it looks back when it fires, instead of being moved each time.
  const arm = (ms: number): void => {
    cancel = clock.setTimer(ms, () => {
      const left = heardAt + silenceMs - clock.monotonicMs();
      if (left > 0) return arm(left);
      silent = true;
      abort.abort(new Error(`the watch said nothing for ${silenceMs} ms`));
    });
  };
  arm(silenceMs);
  return {
    signal: abort.signal,
    heard() {
      heardAt = clock.monotonicMs();
    },
    fellSilent: () => silent,
    end() {
      cancel();
      outer.removeEventListener("abort", forward);
      abort.abort(new Error("the watch is over"));
    },
  };
}

/** `managedFields` is often the larger half of an object, and nobody here reads it. The object was just parsed: nobody else holds it. */
function lighten<T extends KubeObject>(object: Stored<T>): Stored<T> {
  delete (object.metadata as { managedFields?: unknown }).managedFields;
  return object;
}

async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
