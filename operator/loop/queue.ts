import type { Clock } from "./clock.ts";
import { type Outcome, type Requeue, requeueFor } from "./outcome.ts";

export interface QueueOptions {
  readonly clock: Clock;
  readonly random?: () => number;
  readonly workers?: number;
  readonly firstBackoffMs?: number;
  readonly longestBackoffMs?: number;
  /** Works on one key. What it throws counts as `failed`. The signal aborts when the queue stops. */
  readonly work: (key: string, signal: AbortSignal) => Promise<Outcome>;
  readonly hooks?: QueueHooks;
}

export interface QueueHooks {
  readonly onDone?: (key: string, outcome: Outcome, durationMs: number) => void;
  /** How often in a row this key has failed and when it is tried again. */
  readonly onRetry?: (key: string, failures: number, afterMs: number, error: unknown) => void;
}

export interface WorkQueue {
  /** As soon as a worker is free; if the key is being worked on, once more afterwards. */
  add(key: string): void;
  /** Not before that long; the earliest of several wins. */
  addAfter(key: string, ms: number): void;
  start(): void;
  /** Takes no new work, lets running work end within the grace, then aborts its signal. Resolves when no work runs. */
  stop(graceMs: number): Promise<void>;
  /** For gauges: keys that are ready, the age of the oldest of them, keys being worked on, keys that wait for their time. */
  measure(): { readonly ready: number; readonly oldestMs: number; readonly busy: number; readonly delayed: number };
}

interface Delay {
  readonly at: number;
  readonly cancel: () => void;
}

/**
 * A key is in one place at a time: ready (in order of arrival), busy, or delayed. What is added while it is busy makes it dirty, and ready again
 * afterwards, behind the others: no key is worked on twice at once, and none holds up the rest.
 */
export function createQueue(options: QueueOptions): WorkQueue {
  const { clock, random = Math.random, workers = 4, hooks = {} } = options;
  const ready = new Map<string, number>();
  const dirty = new Set<string>();
  const busy = new Set<string>();
  const delayed = new Map<string, Delay>();
  const failures = new Map<string, number>();
  const abort = new AbortController();
  const idle = Promise.withResolvers<void>();
  let state: "new" | "started" | "stopped" = "new";

  const add = (key: string): void => {
    if (state === "stopped") return;
    undelay(key);
    if (busy.has(key)) dirty.add(key);
    else if (!ready.has(key)) ready.set(key, clock.monotonicMs());
    fill();
  };
  const addAfter = (key: string, ms: number): void => {
    if (state === "stopped" || ready.has(key) || dirty.has(key)) return;
    const at = clock.monotonicMs() + ms;
    const earlier = delayed.get(key);
    if (earlier !== undefined && earlier.at <= at) return;
    undelay(key);
    delayed.set(key, { at, cancel: clock.setTimer(Math.max(0, ms), () => add(key)) });
  };
  const undelay = (key: string): void => {
    delayed.get(key)?.cancel();
    delayed.delete(key);
  };
  const fill = (): void => {
    if (state !== "started") return;
    for (const key of ready.keys()) {
      if (busy.size >= workers) return;
      ready.delete(key);
      busy.add(key);
      void run(key);
    }
  };
  const run = async (key: string): Promise<void> => {
    const startedAt = clock.monotonicMs();
    const outcome = await outcomeOf(() => options.work(key, abort.signal));
    busy.delete(key);
    quietly(() => hooks.onDone?.(key, outcome, clock.monotonicMs() - startedAt));
    if (state !== "stopped") requeue(key, requeueFor(outcome));
    if (state === "stopped" && busy.size === 0) idle.resolve();
    fill();
  };
  const requeue = (key: string, next: Requeue): void => {
    const again = dirty.delete(key);
    if (next.type === "backoff") {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      // What changed meanwhile may be the cure, or our own write: soon, but never at once.
      const afterMs = backoffMs(options, random, again ? 1 : count);
      quietly(() => hooks.onRetry?.(key, count, afterMs, next.error));
      addAfter(key, afterMs);
      return;
    }
    failures.delete(key);
    if (again) add(key);
    else if (next.type === "after") addAfter(key, next.ms);
  };

  return {
    add,
    addAfter,
    start() {
      if (state === "new") state = "started";
      fill();
    },
    async stop(graceMs) {
      state = "stopped";
      for (const key of [...delayed.keys()]) undelay(key);
      ready.clear();
      dirty.clear();
      if (busy.size === 0) return;
      const cancel = clock.setTimer(graceMs, () => abort.abort(new Error("the work queue stops")));
      await idle.promise;
      cancel();
    },
    measure() {
      const [oldest] = ready.values();
      const oldestMs = oldest === undefined ? 0 : clock.monotonicMs() - oldest;
      return { ready: ready.size, oldestMs, busy: busy.size, delayed: delayed.size };
    },
  };
}

async function outcomeOf(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    return { type: "failed", error };
  }
}

/** 1 s, 2 s, 4 s … 5 min, each with up to a fifth more or less, so that keys which failed together come back apart. */
function backoffMs(options: QueueOptions, random: () => number, count: number): number {
  const { firstBackoffMs = 1_000, longestBackoffMs = 300_000 } = options;
  const full = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (count - 1));
  return full * (0.8 + 0.4 * random());
}

/** A hook that throws must not lose a key. */
function quietly(hook: () => void): void {
  try {
    hook();
  } catch {
    // Hooks only count.
  }
}
