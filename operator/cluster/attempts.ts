import type { Clock } from "../loop/clock.ts";
import { deadline } from "../loop/deadline.ts";
import type { Call } from "./call.ts";
import { ApiError, ApiUnreachable, NotLeading } from "./errors.ts";
import { nameOf } from "./refusal.ts";

const MOST_ATTEMPTS = 8;
/** A reset connection is worth a second try, an API server that is away is the queue's business. */
const MOST_BLIND_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;

export interface Limits {
  readonly clock: Clock;
  readonly random: () => number;
  readonly deadlineMs: number;
}

/**
 * Makes the call, and makes it again where that is safe and the server asked for patience, within one deadline for all of it.
 * Throws the caller's own abort reason when the caller gave up.
 */
export async function attempt<T>(call: Call, limits: Limits, once: (signal: AbortSignal) => Promise<T>): Promise<T> {
  call.signal?.throwIfAborted();
  const { clock, deadlineMs } = limits;
  const endsAt = clock.monotonicMs() + deadlineMs;
  const limit = deadline(clock, deadlineMs, `no answer within ${deadlineMs} ms`, call.signal);
  try {
    for (let count = 1; ; count += 1) {
      try {
        return await once(limit.signal);
      } catch (error) {
        limit.signal.throwIfAborted();
        const pause = pauseAfter(call, error, count, limits.random);
        if (pause === undefined || clock.monotonicMs() + pause >= endsAt) throw error;
        await clock.sleep(pause, limit.signal);
      }
    }
  } catch (error) {
    call.signal?.throwIfAborted();
    throw asKnownError(call, error);
  } finally {
    limit.end();
  }
}

/** Whatever is not an answer becomes "nobody knows". */
export function asKnownError(call: Call, error: unknown): Error {
  if (error instanceof ApiError || error instanceof NotLeading || error instanceof ApiUnreachable) return error;
  return new ApiUnreachable(nameOf(call), error instanceof Error ? error.message : String(error), error);
}

/** How long to wait before the next attempt; undefined when there should be none. */
function pauseAfter(call: Call, error: unknown, count: number, random: () => number): number | undefined {
  if (error instanceof NotLeading) return undefined;
  const backoff = FIRST_PAUSE_MS * 2 ** (count - 1) * (0.5 + random());
  if (!(error instanceof ApiError)) return call.idempotent && count < MOST_BLIND_ATTEMPTS ? backoff : undefined;
  if (count >= MOST_ATTEMPTS) return undefined;
  // 429 is said before anything is done; 503 and a 5xx with Retry-After may have been said afterwards.
  const patient = error.status === 503 || (error.status >= 500 && error.retryAfterMs !== undefined);
  if (error.status !== 429 && !(call.idempotent && patient)) return undefined;
  return error.retryAfterMs === undefined ? backoff : error.retryAfterMs * (1 + 0.5 * random());
}
