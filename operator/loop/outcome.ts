/**
 * How one round of a reconcile ended. Whatever a controller knows beyond this belongs in its status; this is all the queue needs.
 */
export type Outcome =
  /** Nothing to do until something changes. */
  | { readonly type: "settled" }
  /** Needs time: come back after that long, or when something changes. */
  | { readonly type: "waiting"; readonly afterMs: number }
  /** Needs a person: only a change brings it back. */
  | { readonly type: "stalled" }
  /** Needs another try, with back-off. */
  | { readonly type: "failed"; readonly error: unknown };

export const settled: Outcome = { type: "settled" };
export const stalled: Outcome = { type: "stalled" };
export const failed = (error: unknown): Outcome => ({ type: "failed", error });

/** Moments are on the wall clock, and waits are not: a clock that was set meanwhile is noticed within this time. */
export const LONGEST_WAIT_MS = 10 * 60_000;

/** A moment that cannot be known, since somebody else has left a time out, must not become a loop. */
export const waiting = (afterMs: number): Outcome => ({
  type: "waiting",
  afterMs: Number.isNaN(afterMs) ? LONGEST_WAIT_MS : afterMs,
});

/** What the queue does with the key next. */
export type Requeue =
  | { readonly type: "forget" }
  | { readonly type: "after"; readonly ms: number }
  | { readonly type: "backoff"; readonly error: unknown };

/** The only place where outcomes become requeues: back-off is for failures alone, everything else clears it. */
export function requeueFor(outcome: Outcome): Requeue {
  switch (outcome.type) {
    case "settled":
    case "stalled":
      return { type: "forget" };
    case "waiting":
      return { type: "after", ms: Math.max(0, outcome.afterMs) };
    case "failed":
      return { type: "backoff", error: outcome.error };
  }
}
