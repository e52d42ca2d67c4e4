import { ApiError, isForbidden, isNotFound } from "../operator/cluster/errors.ts";
import type { KubeObject, Resource, Selection, WatchEvent } from "../operator/cluster/ports.ts";
import type { Clock } from "../operator/loop/clock.ts";
import type { Cluster } from "./cluster.ts";

export interface Followed {
  readonly resource: Resource;
  readonly selection: Selection;
}

const WATCH_SECONDS = 290;
const PAUSE_MS = 1000;

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
  const own = new AbortController();
  const ending = AbortSignal.any([signal, own.signal]);
  const bell = createBell();
  let failure: unknown;
  const watchers = followed.map((one) =>
    follow(cluster, one, clock, ending, bell.ring).catch((error: unknown) => {
      if (ending.aborted) return;
      failure = error;
      bell.ring();
    }),
  );
  signal.addEventListener("abort", bell.ring);
  try {
    while (!signal.aborted) {
      if (failure !== undefined) throw failure;
      yield;
      await bell.rung();
    }
  } finally {
    signal.removeEventListener("abort", bell.ring);
    own.abort();
    await Promise.allSettled(watchers);
  }
}

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
  ring: () => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { resourceVersion } = await client.listAll<KubeObject>(resource, { ...selection, signal });
      ring();
      const options = { ...selection, resourceVersion, timeoutSeconds: WATCH_SECONDS, signal };
      const events: AsyncIterable<WatchEvent<KubeObject>> = await client.watch(resource, options);
      for await (const { type } of events) if (type !== "BOOKMARK") ring();
    } catch (error) {
      if (isForbidden(error) || isNotFound(error)) throw error;
      if (error instanceof ApiError && error.status === 410) continue;
      signal.throwIfAborted();
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}
