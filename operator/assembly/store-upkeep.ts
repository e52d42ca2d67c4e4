import type { Client } from "../cluster/ports.ts";
import type { Clock } from "../loop/clock.ts";
import { collectGarbage } from "../storage/garbage.ts";
import type { KeyRing } from "../storage/key-ring.ts";
import type { UnreadableRecord } from "../storage/port.ts";
import type { Logger } from "../telemetry/logger.ts";

const EVERY_MS = 6 * 3_600_000;

export interface UpkeepParts {
  readonly client: Client;
  readonly namespace: string;
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Removes what crashes left in the store, from time to time. Ends when the signal aborts; a failure waits for the next time. */
export async function keepStoreClean(parts: UpkeepParts, signal: AbortSignal): Promise<void> {
  const { client, namespace, ring, clock, logger } = parts;
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      const onUnreadable = ({ holder, error }: UnreadableRecord) =>
        logger.warn("a record cannot be read, and what may be its own is kept", { holder, error });
      const removed = await collectGarbage({ client, namespace, ring }, { now: clock.now(), signal, onUnreadable });
      if (removed > 0) logger.info("removed what no record refers to", { chunks: removed });
    } catch (error) {
      logger.warn("the store could not be tidied up, it is tried again later", { error });
    }
  }
}
