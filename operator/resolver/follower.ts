import type { Clock } from "../loop/clock.ts";
import { type FollowedRevision, pollKey, type SourceRef } from "./followed.ts";
import { createPoll, type Poll } from "./poll.ts";
import type { Resolved, ResolveRequest } from "./protocol.ts";
import { createTurns, hostOf } from "./turns.ts";

export type { FollowedRevision, SourceRef } from "./followed.ts";

export interface FollowerParts {
  readonly resolve: (question: ResolveRequest, signal: AbortSignal) => Promise<Resolved>;
  readonly clock: Clock;
  /** A revision or a failure that this Environment follows has changed. */
  readonly onMoved: (environmentKey: string) => void;
  /** Between 0 and 1; `Math.random` unless told. */
  readonly random?: () => number;
  /** Questions at the same time, half of them to one host; 8 unless told. */
  readonly concurrency?: number;
}

/** Follows git refs for Environments. Runs in the leader only. */
export interface Follower {
  /**
   * Follows this ref for the Environment from now on. An Environment may want several: components can have sources of their
   * own, and one of them can name the same ref without credentials. The same again replaces the interval.
   */
  want(environmentKey: string, source: SourceRef): void;
  /** Drops what the Environment wanted before and no longer does: all but these. */
  retain(environmentKey: string, sources: readonly SourceRef[]): void;
  forget(environmentKey: string): void;
  /** What is known; a commit is known without asking. `pending` also for what nobody wants. */
  revision(source: SourceRef): FollowedRevision;
  /** Looks up everything that the Environment wants, now. Resolves when all answers are there; never rejects. */
  refresh(environmentKey: string): Promise<void>;
  /** Ends every poll. */
  stop(): void;
}

const isFixed = (source: Pick<SourceRef, "ref">): boolean => source.ref?.commit !== undefined;

export function createFollower(parts: FollowerParts): Follower {
  const polls = new Map<string, Poll>();
  /** Environment → the polls that serve it. */
  const wishes = new Map<string, Set<string>>();
  const limit = parts.concurrency ?? 8;
  // Every poll waits here at most once, so the queue is as long as there are polls.
  const turns = createTurns({ total: limit, perHost: Math.ceil(limit / 2), waiting: Number.POSITIVE_INFINITY });

  const wantedBy = (environmentKey: string): readonly string[] => [...(wishes.get(environmentKey) ?? [])];
  const drop = (environmentKey: string, key: string): void => {
    const wanted = wishes.get(environmentKey);
    wanted?.delete(key);
    if (wanted?.size === 0) wishes.delete(environmentKey);
    const poll = polls.get(key);
    poll?.removeWanter(environmentKey);
    if (poll?.isWanted() !== false) return;
    poll.stop();
    polls.delete(key);
  };
  const pollFor = (key: string, source: SourceRef): Poll => {
    const found = polls.get(key);
    if (found !== undefined) return found;
    const ask: FollowerParts["resolve"] = (question, signal) =>
      turns.take(hostOf(source.url), signal, () => parts.resolve(question, signal));
    const poll = createPoll(source, { ...parts, random: parts.random ?? Math.random, resolve: ask });
    polls.set(key, poll);
    return poll;
  };

  return {
    want(environmentKey, source) {
      if (isFixed(source)) return;
      const key = pollKey(source);
      wishes.set(environmentKey, (wishes.get(environmentKey) ?? new Set()).add(key));
      pollFor(key, source).addWanter(environmentKey, source.intervalMs);
    },
    retain(environmentKey, sources) {
      const kept = new Set(sources.map(pollKey));
      for (const key of wantedBy(environmentKey)) if (!kept.has(key)) drop(environmentKey, key);
    },
    forget(environmentKey) {
      for (const key of wantedBy(environmentKey)) drop(environmentKey, key);
    },
    revision(source) {
      const commit = source.ref?.commit;
      if (commit !== undefined) return { state: "known", revision: commit, at: parts.clock.now() };
      return polls.get(pollKey(source))?.seen() ?? { state: "pending" };
    },
    async refresh(environmentKey) {
      await Promise.all(wantedBy(environmentKey).map((key) => polls.get(key)?.refresh()));
    },
    stop() {
      for (const poll of polls.values()) poll.stop();
      polls.clear();
      wishes.clear();
    },
  };
}
