import { ApiError, ApiUnreachable, isNotReadyYet, isRightMissing } from "../cluster/errors.ts";
import type { Clock } from "../loop/clock.ts";

export interface Patience {
  readonly clock: Pick<Clock, "sleep">;
  /** Between 0 and 1: spreads replicas that begin together. `Math.random` unless told. */
  readonly random?: () => number;
  /** Told of each try that came to nothing, before the pause. */
  readonly onTrouble: (error: unknown, pauseMs: number) => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/**
 * For what a process cannot begin without. While the API server is away or not ready, or does not know the operator and its role yet, it is tried
 * again: a process that ended instead would be held back by its kubelet for up to five minutes after all is well. Rejects with any other error,
 * and with the signal's reason when that aborts.
 */
export async function patiently<T>(
  start: () => Promise<T>,
  { clock, random = Math.random, onTrouble }: Patience,
  signal: AbortSignal,
): Promise<T> {
  for (let longestMs = FIRST_PAUSE_MS; ; longestMs = Math.min(2 * longestMs, LONGEST_PAUSE_MS)) {
    try {
      return await start();
    } catch (error) {
      signal.throwIfAborted();
      if (!isWorthWaiting(error)) throw error;
      const pauseMs = longestMs * (0.5 + random() / 2);
      onTrouble(error, pauseMs);
      await clock.sleep(pauseMs, signal);
    }
  }
}

function isWorthWaiting(error: unknown): boolean {
  if (error instanceof ApiUnreachable || isRightMissing(error) || isNotReadyYet(error)) return true;
  return error instanceof ApiError && (error.status === 401 || error.status === 429 || error.status >= 500);
}
