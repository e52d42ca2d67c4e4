import type { Clock } from "../loop/clock.ts";
import { type FollowedRevision, isNews, outcomeOf, questionOf, type SourceRef } from "./followed.ts";
import type { Resolved, ResolveRequest } from "./protocol.ts";

const FIRST_RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 300_000;
/** Polls that began together drift apart. */
const JITTER = 0.1;

export interface PollParts {
  readonly resolve: (question: ResolveRequest, signal: AbortSignal) => Promise<Resolved>;
  readonly clock: Clock;
  readonly onMoved: (environmentKey: string) => void;
  readonly random: () => number;
}

/** One repository and ref, asked for on behalf of all Environments that want it. */
export interface Poll {
  addWanter(environmentKey: string, intervalMs: number): void;
  removeWanter(environmentKey: string): void;
  isWanted(): boolean;
  seen(): FollowedRevision;
  /** Resolves with the first answer to a question that was asked after this call. */
  refresh(): Promise<void>;
  stop(): void;
}

/** The first question goes out with the first wanter. */
export function createPoll(source: SourceRef, parts: PollParts): Poll {
  const { clock } = parts;
  const stopped = new AbortController();
  const wanters = new Map<string, number>();
  let seen: FollowedRevision = { state: "pending" };
  let failures = 0;
  let cancelTimer: (() => void) | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let asking: Promise<void> | undefined;
  let following: Promise<void> | undefined;

  const schedule = (ms: number): void => {
    cancelTimer?.();
    dueAt = clock.monotonicMs() + ms;
    cancelTimer = clock.setTimer(ms, () => void ask());
  };
  const delay = (): number => {
    const base = failures === 0 ? Math.min(...wanters.values()) : retryDelay(failures);
    return base * (1 - JITTER + 2 * JITTER * parts.random());
  };
  const look = async (): Promise<void> => {
    const after = await outcomeOf(parts.resolve(questionOf(source, seen), stopped.signal), seen, clock);
    if (stopped.signal.aborted) return;
    failures = after.state === "failed" ? failures + 1 : 0;
    const news = isNews(seen, after);
    seen = after;
    if (news) for (const key of [...wanters.keys()]) parts.onMoved(key);
  };
  const ask = (): Promise<void> => {
    cancelTimer?.();
    dueAt = Number.POSITIVE_INFINITY;
    asking ??= look().finally(() => {
      asking = undefined;
      if (!stopped.signal.aborted && wanters.size > 0) schedule(delay());
    });
    return asking;
  };

  return {
    addWanter(environmentKey, intervalMs) {
      const isFirst = wanters.size === 0;
      wanters.set(environmentKey, intervalMs);
      if (isFirst) void ask();
      // A shorter interval counts from now on; a failure keeps its back-off.
      else if (asking === undefined && failures === 0 && clock.monotonicMs() + intervalMs * (1 + JITTER) < dueAt) {
        schedule(delay());
      }
    },
    removeWanter: (environmentKey) => void wanters.delete(environmentKey),
    isWanted: () => wanters.size > 0,
    seen: () => seen,
    refresh() {
      if (asking === undefined) return ask();
      // What is being asked may be answered with what was true before: ask once more, once for all who come meanwhile.
      following ??= asking.then(() => {
        following = undefined;
        return stopped.signal.aborted ? undefined : ask();
      });
      return following;
    },
    stop() {
      cancelTimer?.();
      stopped.abort(new Error("nobody follows this ref any more"));
    },
  };
}

function retryDelay(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
}
