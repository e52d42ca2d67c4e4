/** A gateway that is away costs waiting and nothing else: what must arrive is sent until it has arrived. */
import { setTimeout as delay } from "node:timers/promises";
import { GatewayAway } from "./gateway-client.ts";

export interface Patience {
  readonly signal?: AbortSignal | undefined;
  /** Told at the first failure and then about once a minute. */
  readonly onAway?: (message: string) => void;
  readonly firstWaitMs?: number;
  readonly longestWaitMs?: number;
}

/** Rejects with whatever is not the gateway's absence, or when the signal aborts. */
export async function patiently<T>(attempt: () => Promise<T>, patience: Patience = {}): Promise<T> {
  const { signal, onAway, firstWaitMs = 100, longestWaitMs = 5_000 } = patience;
  let wait = firstWaitMs;
  let toldAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof GatewayAway)) throw error;
      if (performance.now() - toldAt > 60_000) {
        toldAt = performance.now();
        onAway?.(error.message);
      }
    }
    // Many runners lose the gateway at the same moment; they must not all come back at the same moment.
    await delay(wait * (0.5 + Math.random() / 2), undefined, signal === undefined ? {} : { signal }).catch(() => {});
    wait = Math.min(longestWaitMs, wait * 2);
  }
}
