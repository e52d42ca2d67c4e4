import type { Cache, KubeObject, Stored } from "../cluster/ports.ts";
import type { Clock } from "./clock.ts";
import { aborted, deadline } from "./deadline.ts";
import type { Outcome } from "./outcome.ts";
import { createQueue, type QueueOptions, type WorkQueue } from "./queue.ts";

/** A cache and the keys that a change in it concerns. */
export interface Source {
  synced(signal: AbortSignal): Promise<void>;
  subscribe(enqueue: (key: string) => void): () => void;
}

export interface ControllerOptions extends Omit<QueueOptions, "work"> {
  readonly clock: Clock;
  readonly sources: readonly Source[];
  /** Level-triggered: told which object, not what happened to it. The signal aborts at the end of the round's time or of the process. */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<Outcome>;
  /** The signal of a round that takes longer is aborted; 2 min unless told. */
  readonly roundLimitMs?: number;
  /** What a running round gets at shutdown before it is aborted; 20 s unless told. */
  readonly graceMs?: number;
}

export interface Controller extends Pick<WorkQueue, "add" | "addAfter" | "measure"> {
  /** Waits until every cache is filled, works, and drains when the signal aborts. Resolves when no round runs. */
  run(signal: AbortSignal): Promise<void>;
}

/** `keysFor` is asked about the object before and after the change, so that what it no longer belongs to hears of it, too. */
export function sourceOf<T extends KubeObject>(
  cache: Pick<Cache<T>, "synced" | "onChange">,
  keysFor: (object: Stored<T>) => readonly string[],
): Source {
  return {
    synced: (signal) => cache.synced(signal),
    subscribe: (enqueue) =>
      cache.onChange((old, now) => {
        const keys = [old, now].flatMap((object) => (object === undefined ? [] : keysFor(object)));
        for (const key of new Set(keys)) enqueue(key);
      }),
  };
}

export function createController(options: ControllerOptions): Controller {
  const { clock, sources, reconcile, roundLimitMs = 120_000, graceMs = 20_000 } = options;
  const queue = createQueue({ ...options, work: limited(clock, roundLimitMs, reconcile) });
  return {
    add: queue.add,
    addAfter: queue.addAfter,
    measure: queue.measure,
    async run(signal) {
      const unsubscribe = sources.map((source) => source.subscribe(queue.add));
      try {
        await Promise.all(sources.map((source) => source.synced(signal)));
        queue.start();
        await aborted(signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        for (const stop of unsubscribe) stop();
        await queue.stop(graceMs);
      }
    },
  };
}

function limited(clock: Clock, limitMs: number, reconcile: ControllerOptions["reconcile"]): QueueOptions["work"] {
  return async (key, outer) => {
    const limit = deadline(clock, limitMs, `the round took longer than ${limitMs} ms`, outer);
    try {
      return await reconcile(key, limit.signal);
    } finally {
      limit.end();
    }
  };
}
