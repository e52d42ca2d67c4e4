import { randomUUID } from "node:crypto";
import type { Client } from "../cluster/ports.ts";
import type { Clock } from "../loop/clock.ts";
import { aborted } from "../loop/deadline.ts";
import { createElection, type ElectionOptions } from "../loop/lease.ts";
import type { Logger } from "../telemetry/logger.ts";

const LEASE = "terrarium-operator";

interface LeadershipParts {
  /** Not guarded by this very election. */
  readonly client: Client;
  readonly clock: Clock;
  readonly namespace: string;
  readonly podName: string;
  readonly logger: Logger;
  /** Sensible unless told. */
  readonly timing?: LeaseTiming;
}

export type LeaseTiming = Pick<ElectionOptions, "leaseMs" | "renewDeadlineMs" | "retryMs">;

/**
 * Stands for election, and works as long as the lease is held. `mayWrite` is to be asked before every write. Rejects when the lease is lost:
 * the process must end then, since another one may lead.
 */
export async function workWhileLeading(
  { client, clock, namespace, podName, logger, timing }: LeadershipParts,
  work: (mayWrite: () => boolean, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const elected = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<never>();
  const election = createElection({
    ...timing,
    client,
    clock,
    namespace,
    name: LEASE,
    identity: `${podName}_${randomUUID()}`,
    onLeading: elected.resolve,
    onLost: (why) => lost.reject(new Error(`the lease is lost: ${why}`)),
    onTrouble: (error) => logger.warn("the lease could not be renewed, it is tried again", { error }),
  });
  const working = new AbortController();
  const holding = new AbortController();
  signal.addEventListener("abort", () => working.abort(), { once: true });
  const standing = election.run(holding.signal);
  try {
    await Promise.race([elected.promise, lost.promise, aborted(signal)]);
    if (signal.aborted) return;
    logger.info("leading: this replica reconciles");
    await Promise.race([work(election.isLeading, working.signal), lost.promise]);
  } finally {
    working.abort();
    // Released only now, when nothing of ours writes any more: whoever comes next may begin at once.
    holding.abort();
    await standing;
  }
}
