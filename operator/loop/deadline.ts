import type { Clock } from "./clock.ts";

export interface Deadline {
  /** Aborts when the time is over, with an error that says so, and when the outer signal aborts, with its reason. */
  readonly signal: AbortSignal;
  /** The time no longer counts; the outer signal still does. */
  stopClock(): void;
  /** Nothing counts any more: a signal that lives longer must not keep what is over. */
  end(): void;
}

/** By the clock that everything here receives, which `AbortSignal.timeout` does not know. */
export function deadline(
  clock: Pick<Clock, "setTimer">,
  ms: number,
  message: string,
  outer: AbortSignal | undefined,
): Deadline {
  const abort = new AbortController();
  const forward = () => abort.abort(outer?.reason);
  if (outer?.aborted === true) forward();
  outer?.addEventListener("abort", forward, { once: true });
  const stopClock = clock.setTimer(ms, () => abort.abort(new Error(message)));
  return {
    signal: abort.signal,
    stopClock,
    end() {
      stopClock();
      outer?.removeEventListener("abort", forward);
    },
  };
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
