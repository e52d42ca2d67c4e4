import { createCaches, type WatchTiming } from "../../operator/assembly/caches.ts";
import { environmentController, runController } from "../../operator/assembly/controllers.ts";
import { environmentPorts } from "../../operator/assembly/environment-ports.ts";
import { createFollowing } from "../../operator/assembly/following.ts";
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
import { connectionTo } from "./stage.ts";

export interface OperatorOptions {
  readonly url: string;
  readonly ring: LiveKeyRing;
  /** Where its states are. */
  readonly home: string;
  readonly gatewayCa: () => string;
  readonly timing: WatchTiming;
  readonly tell: (line: string) => void;
}

/** One life of the leading replica: real caches, controllers and ports on the real API server. */
export interface Operator {
  /** As SIGKILL does: from now on nothing of it reaches anybody. */
  kill(): Promise<void>;
}

export async function startOperator({ url, ring, home, gatewayCa, timing, tell }: OperatorOptions): Promise<Operator> {
  const stop = new AbortController();
  const connection = await connectionTo(url);
  const transport = createTransport({ connection, clock: systemClock });
  const client = createClient(transport, { mayWrite: () => !stop.signal.aborted });
  const store = createSecretStore({ client, namespace: home, ring });
  const clock = systemClock;
  const caches = createCaches({ client, clock, namespace: home, ring, hooks: {}, timing });
  const events = { record: () => {}, flush: () => Promise.resolve() };
  const shared = { client, clock, caches, store, ring, events };
  const environment = environmentPorts({
    ...shared,
    catalogue: CATALOGUE,
    statuses: createStatusWriter(client),
    following: createFollowing(undefined),
    usualDeletions: 0,
  });
  const parts = {
    clock,
    maxChecks: 20,
    caches,
    metrics: createMetrics({ ofProcess: false }),
    environment,
    run: runPorts({
      ...shared,
      standingOf: standingInCaches(environment),
      maxRuns: 20,
      maxChecks: 20,
      pod: { gatewayUrl: "https://gateway.test", gatewayCa },
      onClosed: () => {},
    }),
    onFailure(queue: string, _key: string, error: unknown) {
      if (!(error instanceof NotLeading)) tell(`${queue}: a round failed: ${String(error)}`);
    },
  };
  const running = [
    ...caches.all.map((cache) => cache.run(stop.signal)),
    environmentController(parts).run(stop.signal),
    runController(parts).run(stop.signal),
  ];
  return {
    async kill() {
      stop.abort();
      await connection.close();
      await Promise.all(running);
    },
  };
}
