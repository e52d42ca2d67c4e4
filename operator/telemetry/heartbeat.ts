import type { HealthCheck } from "./health.ts";

/** A loop that must show up from time to time. */
export interface Heartbeat {
  beat(): void;
  readonly check: HealthCheck;
}

/**
 * For the reflectors: let every list, event, bookmark *and restart* beat. An API server that is away must not end this
 * process, which goes on serving runner pods; only a loop that no longer turns may.
 */
export function createHeartbeat(name: string, clock: { monotonicMs(): number }, longestSilenceMs: number): Heartbeat {
  let last = clock.monotonicMs();
  return {
    beat() {
      last = clock.monotonicMs();
    },
    check: {
      name,
      trouble() {
        const silentMs = clock.monotonicMs() - last;
        return silentMs > longestSilenceMs ? `silent for ${Math.round(silentMs / 1000)} s` : undefined;
      },
    },
  };
}
