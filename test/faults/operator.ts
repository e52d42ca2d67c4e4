import { createCaches, type WatchTiming } from "../../operator/assembly/caches.ts";
import { environmentController, runController } from "../../operator/assembly/controllers.ts";
import { environmentPorts } from "../../operator/assembly/environment-ports.ts";
import { createFollowing } from "../../operator/assembly/following.ts";
import { type LeaseTiming, workWhileLeading } from "../../operator/assembly/leadership.ts";
import { standingInCaches } from "../../operator/assembly/plan-standing.ts";
import { runPorts } from "../../operator/assembly/run-ports.ts";
import { createClient } from "../../operator/cluster/client.ts";
import { NotLeading } from "../../operator/cluster/errors.ts";
import { createStatusWriter } from "../../operator/cluster/status.ts";
import { createTransport } from "../../operator/cluster/transport.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import type { LiveKeyRing } from "../../operator/storage/key-ring.ts";
import { createSecretStore } from "../../operator/storage/secret-store.ts";
import { createMetrics } from "../../operator/telemetry/metrics.ts";
import { CATALOGUE } from "../fakes/objects.ts";
import type { Mortal } from "./lives.ts";
import { connectionTo } from "./stage.ts";

export interface OperatorOptions {
  readonly url: string;
  readonly ring: LiveKeyRing;
  /** Where its states are. */
  readonly home: string;
  readonly gatewayUrl: string;
  readonly gatewayCa: () => string;
  readonly timing: WatchTiming;
  /** With it, it works only while it holds the lease; without it, from the start. */
  readonly lease?: LeaseTiming;
  /** Runs that have a pod at the same time, and as many Checks; 20 unless told. */
  readonly mostAtOnce?: number;
  /** Its process ends by itself, because it has lost the lease. */
  readonly onEnd?: () => void;
  readonly tell: (line: string) => void;
}

/** One life of a replica: real caches, controllers and ports on the real API server. */
export async function startOperator(options: OperatorOptions): Promise<Mortal> {
  const { url, ring, home, timing, tell, lease } = options;
  const stop = new AbortController();
  const clock = systemClock;
  const connection = await connectionTo(url);
  const transport = createTransport({ connection, clock });
  const caches = createCaches({
    client: createClient(transport),
    clock,
    namespace: home,
    ring,
    hooks: { onRestart: (resource, error) => tell(`the watch of ${resource.plural} begins anew: ${String(error)}`) },
    timing,
  });
  const reconcile = async (mayWrite: () => boolean, working: AbortSignal): Promise<void> => {
    const client = createClient(transport, { mayWrite: () => mayWrite() && !stop.signal.aborted });
    const parts = controllerParts(options, caches, client);
    await Promise.all([environmentController(parts).run(working), runController(parts).run(working)]);
  };
  const leading = {
    client: createClient(transport),
    clock,
    namespace: home,
    podName: "operator",
    logger: telling(tell),
    ...(lease === undefined ? {} : { timing: lease }),
  };
  const working =
    lease === undefined
      ? reconcile(() => true, stop.signal)
      : workWhileLeading(leading, reconcile, stop.signal).catch((error: Error) => {
          tell(`the operator ends: ${error.message}`);
          options.onEnd?.();
        });
  const running = [...caches.all.map((cache) => cache.run(stop.signal)), working];
  return {
    async kill() {
      stop.abort();
      await connection.close();
      await Promise.all(running);
    },
  };
}

function controllerParts(
  { ring, home, gatewayUrl, gatewayCa, tell, mostAtOnce = 20 }: OperatorOptions,
  caches: ReturnType<typeof createCaches>,
  client: ReturnType<typeof createClient>,
) {
  const clock = systemClock;
  const store = createSecretStore({ client, namespace: home, ring });
  const events = { record: () => {}, flush: () => Promise.resolve() };
  const shared = { client, clock, caches, store, ring, events };
  const environment = environmentPorts({
    ...shared,
    catalogue: CATALOGUE,
    statuses: createStatusWriter(client),
    following: createFollowing(undefined),
    usualDeletions: 0,
  });
  return {
    clock,
    maxChecks: mostAtOnce,
    caches,
    metrics: createMetrics({ ofProcess: false }),
    environment,
    run: runPorts({
      ...shared,
      standingOf: standingInCaches(environment),
      maxRuns: mostAtOnce,
      maxChecks: mostAtOnce,
      pod: { gatewayUrl, gatewayCa },
      onClosed: () => {},
    }),
    onFailure(queue: string, _key: string, error: unknown) {
      if (!(error instanceof NotLeading)) tell(`${queue}: a round failed: ${String(error)}`);
    },
  };
}

const telling = (tell: (line: string) => void) => {
  const say = (message: string, facts: object = {}) =>
    tell(`${message} ${JSON.stringify(facts, (_, fact) => (fact instanceof Error ? String(fact) : fact))}`);
  return { debug: () => {}, info: say, warn: say, error: say };
};
