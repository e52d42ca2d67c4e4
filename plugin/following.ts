import { ApiError, ApiUnreachable, isForbidden, isNotFound } from "../operator/cluster/errors.ts";
import type { KubeObject, Resource, Selection, WatchEvent } from "../operator/cluster/ports.ts";
import type { Clock } from "../operator/loop/clock.ts";
import type { Cluster } from "./cluster.ts";

export interface Followed {
  readonly resource: Resource;
  readonly selection: Selection;
}

const WATCH_SECONDS = 290;
const PAUSE_MS = 1000;

/** Why the one who follows is woken. */
export interface News {
  /** Any of what is followed may have changed. */
  readonly changed: boolean;
  /** Since when the API server does not answer; absent: it does. */
  readonly silentSince?: Date;
}

/**
 * Yields at once, and again after any of these may have changed; several changes are one. Connections that break are made anew. Ends with
 * the signal; throws what the caller's rights do not allow.
 */
export async function* changes(
  cluster: Cluster,
  followed: readonly Followed[],
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<void> {
  for await (const { changed } of news(cluster, followed, { clock, signal })) if (changed) yield;
}

export interface FollowOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Wakes as often as this, too, when nothing has changed: for what grows older on a screen. */
  readonly everyMs?: number;
}

/** The same, and tells when the API server falls silent and when it speaks again. */
export async function* news(
  cluster: Cluster,
  followed: readonly Followed[],
  { clock, signal, everyMs }: FollowOptions,
): AsyncGenerator<News> {
  const own = new AbortController();
  const ending = AbortSignal.any([signal, own.signal]);
  const bell = createBell();
  const silent = new Map<Followed, Date>();
  let failure: unknown;
  let changed = false;
  const watchers = followed.map((one) => {
    const heard = (what: "change" | "silence"): void => {
      if (what === "change") {
        changed = true;
        silent.delete(one);
      } else if (!silent.has(one)) silent.set(one, clock.now());
      bell.ring();
    };
    return follow(cluster, one, clock, ending, heard).catch((error: unknown) => {
      if (ending.aborted) return;
      failure = error;
      bell.ring();
    });
  });
  signal.addEventListener("abort", bell.ring);
  let cancelTimer = (): void => {};
  try {
    // The first look is for whoever follows to take.
    changed = true;
    while (!signal.aborted) {
      if (failure !== undefined) throw failure;
      const [silentSince] = silent.values();
      const said = { changed, ...(silentSince === undefined ? {} : { silentSince }) };
      changed = false;
      yield said;
      if (everyMs !== undefined) cancelTimer = clock.setTimer(everyMs, bell.ring);
      await bell.rung();
      cancelTimer();
    }
  } finally {
    cancelTimer();
    signal.removeEventListener("abort", bell.ring);
    own.abort();
    await Promise.allSettled(watchers);
  }
}

const isUnauthorized = (error: unknown): boolean => error instanceof ApiError && error.status === 401;

/** An API server, or what is before it, that restarts or has too much to do. */
export const passes = (error: unknown): boolean =>
  error instanceof ApiUnreachable || (error instanceof ApiError && (error.status === 429 || error.status >= 500));

/** Remembers one ring until somebody has heard it. */
function createBell() {
  let { promise, resolve } = Promise.withResolvers<void>();
  return {
    ring: () => resolve(),
    async rung(): Promise<void> {
      await promise;
      ({ promise, resolve } = Promise.withResolvers<void>());
    },
  };
}

async function follow(
  { client }: Cluster,
  { resource, selection }: Followed,
  clock: Clock,
  signal: AbortSignal,
  heard: (what: "change" | "silence") => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { resourceVersion } = await client.listAll<KubeObject>(resource, { ...selection, signal });
      heard("change");
      const options = { ...selection, resourceVersion, timeoutSeconds: WATCH_SECONDS, signal };
      const events: AsyncIterable<WatchEvent<KubeObject>> = await client.watch(resource, options);
      for await (const { type } of events) if (type !== "BOOKMARK") heard("change");
    } catch (error) {
      if (isForbidden(error) || isNotFound(error) || isUnauthorized(error)) throw error;
      if (error instanceof ApiError && error.status === 410) continue;
      signal.throwIfAborted();
      heard("silence");
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}
