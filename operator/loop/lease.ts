import { isAlreadyExists, isConflict, isNotFound } from "../cluster/errors.ts";
import { type Lease, microTime } from "../cluster/kinds.ts";
import type { Reader, Stored, Writer } from "../cluster/ports.ts";
import { LEASES } from "../cluster/resources.ts";
import type { Clock } from "./clock.ts";

export interface ElectionOptions {
  /** Not the client that is guarded by this very election. */
  readonly client: Pick<Reader, "find"> & Pick<Writer, "create" | "replace">;
  readonly clock: Clock;
  readonly random?: () => number;
  readonly namespace: string;
  readonly name: string;
  /** Unique for each process, not for each pod: a container that restarts is another candidate. */
  readonly identity: string;
  /** How long others wait after the last sign of life. */
  readonly leaseMs?: number;
  /** A leader that could not renew for this long gives up; well below `leaseMs`. */
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
  readonly onLeading: () => void;
  /** Called once. The process must end now: another one may lead. */
  readonly onLost: (why: string) => void;
  /** An attempt failed and is repeated. */
  readonly onTrouble?: (error: unknown) => void;
}

export interface Election {
  /**
   * Stands for election, then renews, until the lease is lost or the signal aborts. On abort the lease is released: end the work that needs it
   * first. Never rejects.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Certain at this moment, also right after the process was frozen: ask before every write. */
  isLeading(): boolean;
}

/** What a candidate saw, and when by its own clock: the clocks of others are not to be trusted. */
interface Observation {
  readonly record: string;
  readonly at: number;
}

export function createElection(options: ElectionOptions): Election {
  const { client, clock, namespace, name, identity } = options;
  const { leaseMs = 15_000, renewDeadlineMs = 10_000, retryMs = 2_000, random = Math.random } = options;
  let seen: Observation | undefined;
  let held: Stored<Lease> | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;

  const isLeading = (): boolean => held !== undefined && clock.monotonicMs() - renewedAt < renewDeadlineMs;
  const deadlineMs = Math.max(1, Math.min(5_000, renewDeadlineMs / 2));
  const pause = (signal: AbortSignal) => clock.sleep(retryMs * (0.9 + 0.2 * random()), signal).catch(() => {});

  const write = async (current: Stored<Lease> | undefined): Promise<void> => {
    // Before the request leaves: others count from when they see it, which is later.
    const at = clock.monotonicMs();
    const spec = claim(current?.spec, identity, leaseMs, clock.now());
    held =
      current === undefined
        ? await client.create<Lease>(LEASES, { metadata: { namespace, name }, spec }, { deadlineMs })
        : await client.replace<Lease>(LEASES, { ...current, spec }, { deadlineMs });
    renewedAt = at;
  };
  const mayTake = (current: Stored<Lease>): boolean => {
    const record = JSON.stringify(current.spec ?? {});
    if (seen?.record !== record) seen = { record, at: clock.monotonicMs() };
    const holder = current.spec?.holderIdentity ?? "";
    if (holder === "" || holder === identity) return true;
    const promisedMs = (current.spec?.leaseDurationSeconds ?? 0) * 1000 || leaseMs;
    return clock.monotonicMs() - seen.at >= promisedMs;
  };
  const stand = async (signal: AbortSignal): Promise<void> => {
    const current = await client.find<Lease>(LEASES, namespace, name, { deadlineMs, signal });
    if (current === undefined || mayTake(current)) await write(current);
  };
  /** Returns why the lease is lost, or undefined when it is renewed or may yet be. */
  const renew = async (): Promise<string | undefined> => {
    try {
      await write(held);
      return undefined;
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
    const current = await client.find<Lease>(LEASES, namespace, name, { deadlineMs });
    if (current === undefined) return "somebody deleted it";
    if (current.spec?.holderIdentity !== identity) return `"${current.spec?.holderIdentity ?? ""}" holds it`;
    // Somebody labelled it, or our own write arrived although its answer did not.
    await write(current);
    return undefined;
  };
  const lead = async (signal: AbortSignal): Promise<string | undefined> => {
    while (!signal.aborted) {
      await pause(signal);
      if (!isLeading()) return `not renewed for ${renewDeadlineMs} ms`;
      if (signal.aborted) break;
      const lost = await renew().catch((error: unknown) => void options.onTrouble?.(error));
      if (lost !== undefined) return lost;
      if (!isLeading()) return `not renewed for ${renewDeadlineMs} ms`;
    }
    return undefined;
  };
  const release = async (): Promise<void> => {
    const current = held;
    if (current === undefined || !isLeading()) return;
    held = undefined;
    const spec = { ...current.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(clock.now()) };
    // Best effort: without it the others wait for the lease to expire.
    await client
      .replace<Lease>(LEASES, { ...current, spec }, { deadlineMs })
      .catch((error: unknown) => options.onTrouble?.(error));
  };

  return {
    isLeading,
    async run(signal) {
      while (!isLeading() && !signal.aborted) {
        await stand(signal).catch((error: unknown) => {
          // Another candidate was quicker: no trouble.
          if (!signal.aborted && !isConflict(error) && !isAlreadyExists(error)) options.onTrouble?.(error);
        });
        if (!isLeading()) await pause(signal);
      }
      if (signal.aborted) return release();
      options.onLeading();
      const lost = await lead(signal);
      if (lost === undefined) return release();
      held = undefined;
      options.onLost(`The lease ${namespace}/${name} is lost: ${lost}`);
    },
  };
}

function claim(old: Lease["spec"], identity: string, leaseMs: number, now: Date): NonNullable<Lease["spec"]> {
  const renewTime = microTime(now);
  const leaseDurationSeconds = Math.max(1, Math.ceil(leaseMs / 1000));
  if (old?.holderIdentity === identity) return { ...old, leaseDurationSeconds, renewTime };
  const leaseTransitions = old === undefined ? 0 : (old.leaseTransitions ?? 0) + 1;
  return { holderIdentity: identity, leaseDurationSeconds, acquireTime: renewTime, renewTime, leaseTransitions };
}
