import type { Run } from "./api/run.ts";
import type { RunOutcome } from "./api/run-status.ts";
import { type Caches, createCaches, knownIn } from "./assembly/caches.ts";
import { environmentController, runController } from "./assembly/controllers.ts";
import { environmentPorts } from "./assembly/environment-ports.ts";
import { environmentReference } from "./assembly/environment-writes.ts";
import { createFollowing } from "./assembly/following.ts";
import { judgeFor } from "./assembly/judge.ts";
import { workWhileLeading } from "./assembly/leadership.ts";
import { patiently } from "./assembly/patiently.ts";
import { standingInCaches } from "./assembly/plan-standing.ts";
import { runPorts } from "./assembly/run-ports.ts";
import { keepStoreClean } from "./assembly/store-upkeep.ts";
import { createClient } from "./cluster/client.ts";
import { connect } from "./cluster/connection.ts";
import { createEventRecorder } from "./cluster/events.ts";
import type { Client } from "./cluster/ports.ts";
import { createStatusWriter } from "./cluster/status.ts";
import { createTransport } from "./cluster/transport.ts";
import { type Config, maxChecksOf, PORTS, roomOf } from "./config.ts";
import { appliedDigestOf } from "./environment/digest.ts";
import { createEvaluator } from "./expressions/evaluator.ts";
import type { GatewayLog } from "./gateway/context.ts";
import { type Gateway, startGateway } from "./gateway/gateway.ts";
import { roomForBodies } from "./gateway/reception.ts";
import { GATEWAY_FIELD_MANAGER } from "./gateway/run-status.ts";
import { systemClock } from "./loop/clock.ts";
import { createResolverClient } from "./resolver/client.ts";
import { createFollower } from "./resolver/follower.ts";
import { startStateApi } from "./state-api/state-api.ts";
import type { LiveKeyRing } from "./storage/key-ring.ts";
import { openKeyRing, rotateKey } from "./storage/keys.ts";
import { rememberingBlobs } from "./storage/remembered-blobs.ts";
import { createSecretStore } from "./storage/secret-store.ts";
import { type HealthServers, startHealthServers } from "./telemetry/health.ts";
import { createHeartbeat } from "./telemetry/heartbeat.ts";
import type { Logger } from "./telemetry/logger.ts";
import { createMetrics } from "./telemetry/metrics.ts";

/** Reflectors hear at least a bookmark a minute, or begin anew: longer silence means that the loop is stuck. */
const LONGEST_SILENCE_MS = 10 * 60_000;

/** What a process has before it has asked the API server for anything. */
type Outset = Awaited<ReturnType<typeof outsetFor>>;
/** What every part of the process is made of. */
type Base = Outset & { readonly ring: LiveKeyRing };

/**
 * Joins the parts and runs them until the signal aborts. Every replica serves the gateway and fills its caches; the leader reconciles. Rejects
 * when the lease is lost: the process must end then, since another one may lead.
 */
export async function runOperator(config: Config, logger: Logger, signal: AbortSignal): Promise<void> {
  const lost = new AbortController();
  const ending = AbortSignal.any([signal, lost.signal]);
  const outset = await outsetFor(config, logger);
  let filled = (): boolean => false;
  const watching: Promise<unknown>[] = [];
  const serving: { close(): Promise<unknown> }[] = [await serveHealth(outset, () => filled(), ending)];
  try {
    const ring = await beginPatiently(outset, ending, "the keys", () =>
      openKeyRing(outset.client, outset.namespace, ending),
    );
    const base: Base = { ...outset, ring };
    const caches = watchCluster(base);
    const gateway = await beginPatiently(outset, ending, "the gateway", () => serveGateway(base, caches));
    serving.push(gateway, ...(await serveStates(base)));
    filled = () => caches.all.every((cache) => cache.hasSynced());
    watching.push(...caches.all.map((cache) => cache.run(ending)));
    await workWhileLeading(
      { ...base, podName: config.TERRARIUM_POD_NAME },
      (mayWrite, working) => reconcile(base, caches, gateway, mayWrite, working),
      signal,
    );
  } catch (error) {
    // Told to end before it had begun.
    if (error !== signal.reason) throw error;
  } finally {
    // Nobody has told this process to end: what goes on until then would keep it for ever.
    lost.abort();
    await Promise.all([...serving.map((one) => one.close()), ...watching]);
  }
}

/** Tries until the API server helps. Each try beats: a process that waits is alive. */
function beginPatiently<T>(
  { clock, logger, heartbeat }: Outset,
  signal: AbortSignal,
  what: string,
  start: () => Promise<T>,
) {
  const onTrouble = (error: unknown, pauseMs: number): void => {
    heartbeat.beat();
    logger.warn(`${what} cannot be had from the Kubernetes API yet`, { error, pauseMs: Math.round(pauseMs) });
  };
  return patiently(start, { clock, onTrouble }, signal);
}

/** Replicas hear of a new key from their watch, at once; a watch that hangs begins anew within this time. */
const KEY_SPREADS_MS = 75_000;

/** Seals with a new key from now on, in all replicas. */
export async function rotateKeys(namespace: string) {
  const connection = await connect();
  try {
    const client = createClient(createTransport({ connection, clock: systemClock }));
    return await rotateKey(client, namespace, () => systemClock.sleep(KEY_SPREADS_MS));
  } finally {
    await connection.close();
  }
}

async function outsetFor(config: Config, logger: Logger) {
  const clock = systemClock;
  const namespace = config.TERRARIUM_NAMESPACE;
  const metrics = createMetrics({ ofProcess: true });
  const transport = createTransport({ connection: await connect(), clock, onRequest: metrics.apiRequest });
  /** Reads for everybody, and writes what every replica may write: it does not ask for the lease. */
  const client = createClient(transport);
  const heartbeat = createHeartbeat("watches", clock, LONGEST_SILENCE_MS);
  /** What runners and people send shares one memory. */
  const takeRoom = roomForBodies(roomOf(config).inFlightBytes);
  return { config, logger, clock, namespace, metrics, transport, client, heartbeat, takeRoom };
}

async function serveGateway(base: Base, caches: Caches): Promise<Gateway> {
  const { config, logger, clock, namespace, metrics, transport, client, ring, takeRoom } = base;
  const store = rememberingBlobs(createSecretStore({ client, namespace, ring }));
  const writer = createClient(transport, { fieldManager: GATEWAY_FIELD_MANAGER });
  const events = eventsFor(base, writer);
  const gateway = await startGateway({
    store,
    ring,
    known: knownIn(caches),
    client: writer,
    clock,
    log: quietly(logger),
    onAnswered: metrics.gatewayRequest,
    onChecked: ({ operation }, { result, reason }, durationMs) =>
      metrics.runFinished({ operation, result, reason, durationMs }),
    tell: (run, reason, message) => events.record(run, { type: "Warning", reason, message }),
    digestOfApplied: appliedDigestOf,
    judge: judgeFor({
      client,
      clock,
      store,
      evaluate: createEvaluator(),
      catalogue: config.TERRARIUM_ENGINES,
    }),
    namespace,
    hosts: gatewayHosts(config),
    listen: { host: "0.0.0.0", port: PORTS.gateway },
    limits: roomOf(config),
    takeRoom,
  });
  return { ...gateway, close: () => gateway.close().then(() => events.flush()) };
}

/** Every replica serves the states that people ask for: what it tells them of is written without the lease. */
async function serveStates({ config, logger, clock, namespace, transport, client, ring, takeRoom }: Base) {
  if (config.TERRARIUM_STATE_API !== "true") return [];
  const writer = createClient(transport, { fieldManager: GATEWAY_FIELD_MANAGER });
  const events = eventsFor({ config, logger, clock }, writer);
  const api = await startStateApi({
    store: createSecretStore({ client, namespace, ring }),
    client: writer,
    clock,
    log: quietly(logger),
    tell: (environment, reason, message) =>
      events.record(environmentReference(environment), { type: "Normal", reason, message }),
    namespace,
    hosts: gatewayHosts(config),
    listen: { host: "0.0.0.0", port: PORTS.states },
    stateBytes: roomOf(config).stateBytes,
    takeRoom,
  });
  return [{ close: () => Promise.all([api.close(), events.flush()]) }];
}

/** One line for each request is for those who look closely. */
const quietly = (logger: Logger): GatewayLog => ({
  info: (facts, message) => logger.debug(message, facts),
  error: (facts, message) => logger.error(message, facts),
});

function eventsFor({ config, logger, clock }: Pick<Base, "config" | "logger" | "clock">, writer: Client) {
  return createEventRecorder({
    writer,
    clock,
    instance: config.TERRARIUM_POD_NAME,
    onDropped: (why, error) => logger.warn("an event was not written", { why, error }),
  });
}

function watchCluster({ logger, clock, namespace, metrics, client, ring, heartbeat }: Base): Caches {
  return createCaches({
    client,
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
}

/** From the start: a process that waits for the API server is alive, and not ready. */
function serveHealth(
  { metrics, heartbeat }: Outset,
  synced: () => boolean,
  signal: AbortSignal,
): Promise<HealthServers> {
  return startHealthServers({
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
}

/** What the leader does, with a client that writes only as long as it leads. */
async function reconcile(
  base: Base,
  caches: Caches,
  gateway: Gateway,
  mayWrite: () => boolean,
  working: AbortSignal,
): Promise<void> {
  const { config, logger, clock, namespace, metrics, transport, ring } = base;
  metrics.leading(true);
  const client = createClient(transport, { mayWrite });
  const store = createSecretStore({ client, namespace, ring });
  const events = eventsFor(base, client);
  const follower = followerFor(config, (key) => environments.add(key));
  const shared = { client, clock, caches, store, ring, events };
  const maxChecks = maxChecksOf(config);
  const environment = environmentPorts({
    ...shared,
    catalogue: config.TERRARIUM_ENGINES,
    usualDeletions: config.TERRARIUM_USUAL_DELETIONS,
    statuses: createStatusWriter(client),
    following: createFollowing(follower, (key) => environments.add(key)),
  });
  const parts = {
    clock,
    caches,
    metrics,
    environment,
    run: runPorts({
      ...shared,
      maxRuns: config.TERRARIUM_MAX_RUNS,
      standingOf: standingInCaches(environment),
      maxChecks,
      pod: { gatewayUrl: config.TERRARIUM_GATEWAY_URL, gatewayCa: gateway.caPem },
      onClosed: (run, outcome) => metrics.runFinished(finished(run, outcome, clock.now())),
    }),
    maxChecks,
    onFailure: (queue: string, key: string, error: unknown) =>
      logger.warn("a round failed and is tried again", { queue, key, error }),
  };
  const environments = environmentController(parts);
  const runs = runController(parts);
  metrics.watchStore(caches.records.measure);
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

function finished({ spec, status }: Run, { result, reason }: RunOutcome, now: Date) {
  const beganMs = status?.startedAt === undefined ? now.getTime() : Date.parse(status.startedAt);
  return { operation: spec.operation, result, reason, durationMs: now.getTime() - beganMs };
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
