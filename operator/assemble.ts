import { randomUUID } from "node:crypto";
import type { RunOutcome } from "./api/run.ts";
import { createCaches } from "./assembly/caches.ts";
import { environmentController, runController } from "./assembly/controllers.ts";
import { environmentPorts } from "./assembly/environment-ports.ts";
import { createFollowing } from "./assembly/following.ts";
import { judgeFor } from "./assembly/judge.ts";
import { runPorts } from "./assembly/run-ports.ts";
import { keepStoreClean } from "./assembly/store-upkeep.ts";
import { createClient } from "./cluster/client.ts";
import { connect } from "./cluster/connection.ts";
import { createEventRecorder } from "./cluster/events.ts";
import { createStatusWriter } from "./cluster/status.ts";
import { createTransport } from "./cluster/transport.ts";
import { type Config, PORTS } from "./config.ts";
import { desiredDigestOf } from "./environment/digest.ts";
import { startGateway } from "./gateway/gateway.ts";
import { GATEWAY_FIELD_MANAGER } from "./gateway/run-status.ts";
import { systemClock } from "./loop/clock.ts";
import { aborted } from "./loop/deadline.ts";
import { createElection } from "./loop/lease.ts";
import { createResolverClient } from "./resolver/client.ts";
import { createFollower } from "./resolver/follower.ts";
import { openKeyRing } from "./storage/keys.ts";
import { createSecretStore } from "./storage/secret-store.ts";
import { startHealthServers } from "./telemetry/health.ts";
import { createHeartbeat } from "./telemetry/heartbeat.ts";
import type { Logger } from "./telemetry/logger.ts";
import { createMetrics } from "./telemetry/metrics.ts";

const LEASE = "terrarium-operator";
/** Reflectors hear at least a bookmark a minute, or begin anew: longer silence means that the loop is stuck. */
const LONGEST_SILENCE_MS = 10 * 60_000;

/**
 * Joins the parts and runs them until the signal aborts. Every replica serves the gateway and fills its caches; the leader reconciles. Rejects
 * when the lease is lost: the process must end then, since another one may lead.
 */
export async function runOperator(config: Config, logger: Logger, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const namespace = config.TERRARIUM_NAMESPACE;
  const metrics = createMetrics({ ofProcess: true });
  const transport = createTransport({ connection: await connect(), clock, onRequest: metrics.apiRequest });

  const unguarded = createClient(transport);
  const ring = await openKeyRing(unguarded, namespace, signal);
  const gateway = await startGateway({
    store: createSecretStore({ client: unguarded, namespace, ring }),
    ring,
    client: createClient(transport, { fieldManager: GATEWAY_FIELD_MANAGER }),
    clock,
    log: {
      info: (facts, message) => logger.debug(message, facts),
      error: (facts, message) => logger.error(message, facts),
    },
    digestOfApplied: (spec, revision) => desiredDigestOf(spec.inputsDigest, revision),
    judge: judgeFor(unguarded),
    namespace,
    hosts: gatewayHosts(config),
    listen: { host: "0.0.0.0", port: PORTS.gateway },
  });

  const heartbeat = createHeartbeat("watches", clock, LONGEST_SILENCE_MS);
  const caches = createCaches({
    client: unguarded,
    clock,
    namespace,
    ring,
    hooks: {
      onList: heartbeat.beat,
      onEvent: heartbeat.beat,
      onRestart(resource, error, pauseMs) {
        heartbeat.beat();
        metrics.watchRestarted(resource.plural);
        logger.info("a watch begins anew", { resource: resource.plural, error, pauseMs: Math.round(pauseMs) });
      },
      onHandlerError: (resource, error) => logger.error("a watch handler failed", { resource: resource.plural, error }),
    },
  });
  const synced = () => caches.all.every((cache) => cache.hasSynced());
  const health = await startHealthServers({
    host: "0.0.0.0",
    healthPort: PORTS.health,
    metricsPort: PORTS.metrics,
    alive: [heartbeat.check],
    ready: [
      { name: "caches", trouble: () => (synced() ? undefined : "not filled yet") },
      { name: "staying", trouble: () => (signal.aborted ? "shutting down" : undefined) },
    ],
    metrics: metrics.page,
  });
  const watching = caches.all.map((cache) => cache.run(signal));
  try {
    await lead();
  } finally {
    await Promise.all([gateway.close(), health.close(), ...watching]);
  }

  /** Stands for election, and reconciles as long as the lease is held. */
  async function lead(): Promise<void> {
    const lost = Promise.withResolvers<never>();
    const work = new AbortController();
    const elected = Promise.withResolvers<void>();
    const election = createElection({
      client: unguarded,
      clock,
      namespace,
      name: LEASE,
      identity: `${config.TERRARIUM_POD_NAME}_${randomUUID()}`,
      onLeading: elected.resolve,
      onLost: (why) => lost.reject(new Error(`the lease is lost: ${why}`)),
      onTrouble: (error) => logger.warn("the lease could not be renewed, it is tried again", { error }),
    });
    const lease = new AbortController();
    const standing = election.run(lease.signal);
    signal.addEventListener("abort", () => work.abort(), { once: true });
    try {
      await Promise.race([elected.promise, lost.promise, aborted(signal)]);
      if (signal.aborted) return;
      logger.info("leading: this replica reconciles");
      metrics.leading(true);
      await Promise.race([reconcile(election.isLeading, work.signal), lost.promise]);
    } finally {
      work.abort();
      // Released only now, when nothing of ours writes any more: whoever comes next may begin at once.
      lease.abort();
      await standing;
    }
  }

  async function reconcile(mayWrite: () => boolean, working: AbortSignal): Promise<void> {
    const client = createClient(transport, { mayWrite });
    const store = createSecretStore({ client, namespace, ring });
    const events = createEventRecorder({ writer: client, clock, instance: config.TERRARIUM_POD_NAME });
    const follower = followerFor(config, (key) => environments.add(key));
    const following = createFollowing(follower);
    const shared = { client, clock, caches, store, ring, events };
    const parts = {
      clock,
      caches,
      metrics,
      environment: environmentPorts({
        ...shared,
        catalogue: config.TERRARIUM_ENGINES,
        statuses: createStatusWriter(client),
        following,
      }),
      run: runPorts({
        ...shared,
        maxRuns: config.TERRARIUM_MAX_RUNS,
        pod: { gatewayUrl: config.TERRARIUM_GATEWAY_URL, gatewayCa: gateway.caPem },
        onClosed: (run, outcome) => metrics.runFinished(finished(run.spec.operation, outcome, run.status?.startedAt)),
      }),
      onFailure: (queue: string, key: string, error: unknown) =>
        logger.warn("a round failed and is tried again", { queue, key, error }),
    };
    const environments = environmentController(parts);
    const runs = runController(parts);
    metrics.watchQueue("environments", environments.measure);
    metrics.watchQueue("runs", runs.measure);
    const upkeep = keepStoreClean({ client, namespace, ring, clock, logger }, working);
    try {
      await Promise.all([environments.run(working), runs.run(working), upkeep]);
    } finally {
      follower?.stop();
      await events.flush();
    }
  }

  function finished(operation: string, { result, reason }: RunOutcome, startedAt: string | undefined) {
    const began = startedAt === undefined ? clock.now().getTime() : Date.parse(startedAt);
    return { operation, result, reason, durationMs: clock.now().getTime() - began };
  }
}

/** Names under which runner pods may reach the gateway: that of the address they are given, and the Service's longer ones. */
function gatewayHosts(config: Config): readonly string[] {
  const { hostname } = new URL(config.TERRARIUM_GATEWAY_URL);
  return [hostname, ...(hostname.endsWith(".svc") ? [`${hostname}.cluster.local`] : [])];
}

function followerFor(config: Config, onMoved: (key: string) => void) {
  const url = config.TERRARIUM_RESOLVER_URL ?? "";
  if (url === "") return undefined;
  const { resolve } = createResolverClient({ url });
  return createFollower({ resolve, clock: systemClock, onMoved });
}
