import { collectDefaultMetrics, Registry } from "prom-client";
import type { StoreMeasure } from "../storage/port.ts";
import { createInstruments, type Instruments } from "./instruments.ts";

/** What a work queue says about itself when it is measured. */
export interface QueueMeasure {
  readonly ready: number;
  readonly oldestMs: number;
  readonly busy: number;
  readonly delayed: number;
}

/** Plain functions: who records knows nothing of Prometheus. Durations are in milliseconds. */
export interface Metrics {
  apiRequest(facts: { verb: string; resource: string; code: number | string; durationMs: number }): void;
  watchRestarted(resource: string): void;
  /** Hooks of one work queue, to be handed to it as they are. */
  queueHooks(queue: string): {
    readonly onDone: (key: string, outcome: { readonly type: string }, durationMs: number) => void;
    readonly onRetry: () => void;
  };
  /** The queue is measured each time the metrics are read. */
  watchQueue(queue: string, measure: () => QueueMeasure): void;
  /** The state store is measured each time the metrics are read. */
  watchStore(measure: () => StoreMeasure): void;
  runFinished(facts: { operation: string; result: string; reason: string; durationMs: number }): void;
  gatewayRequest(facts: { route: string; code: number; durationMs: number }): void;
  gitLookedUp(facts: { outcome: string; durationMs: number }): void;
  leading(isLeader: boolean): void;
  /** The page that Prometheus reads. */
  page(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface MetricsSettings {
  /** Memory, event loop and garbage collection of this process as well. */
  readonly ofProcess: boolean;
}

export function createMetrics(settings: MetricsSettings): Metrics {
  const registry = new Registry();
  const instruments = createInstruments(registry);
  const queues = new Map<string, () => QueueMeasure>();
  let store: (() => StoreMeasure) | undefined;
  if (settings.ofProcess) collectDefaultMetrics({ register: registry, prefix: "terrarium_" });

  return {
    ...recorders(instruments),
    watchQueue: (queue, measure) => void queues.set(queue, measure),
    watchStore(measure) {
      store = measure;
    },
    async page() {
      if (store !== undefined) recordStore(instruments, store());
      for (const [queue, measure] of queues) recordQueue(instruments, queue, measure());
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}

const seconds = (durationMs: number): number => durationMs / 1000;

function recorders(instruments: Instruments): Omit<Metrics, "watchQueue" | "watchStore" | "page"> {
  const { apiRequests, watchRestarts, queueRetries, reconciles, runs, gatewayRequests, gitLookups } = instruments;
  return {
    apiRequest: ({ verb, resource, code, durationMs }) =>
      apiRequests.observe({ verb, resource, code: String(code) }, seconds(durationMs)),
    watchRestarted: (resource) => watchRestarts.inc({ resource }),
    queueHooks: (queue) => ({
      onDone: (_key, outcome, durationMs) => reconciles.observe({ queue, outcome: outcome.type }, seconds(durationMs)),
      onRetry: () => queueRetries.inc({ queue }),
    }),
    runFinished: ({ operation, result, reason, durationMs }) =>
      runs.observe({ operation, result, reason }, seconds(durationMs)),
    gatewayRequest: ({ route, code, durationMs }) =>
      gatewayRequests.observe({ route, code: String(code) }, seconds(durationMs)),
    gitLookedUp: ({ outcome, durationMs }) => gitLookups.observe({ outcome }, seconds(durationMs)),
    leading: (isLeader) => instruments.leader.set(isLeader ? 1 : 0),
  };
}

function recordStore({ storeBytes, storeRecords }: Instruments, measure: StoreMeasure): void {
  storeRecords.set(measure.records);
  storeBytes.set({ what: "records" }, measure.recordBytes);
  storeBytes.set({ what: "blobs" }, measure.blobBytes);
}

function recordQueue({ queueKeys, queueOldest }: Instruments, queue: string, measure: QueueMeasure): void {
  const { ready, busy, delayed, oldestMs } = measure;
  for (const [place, keys] of Object.entries({ ready, busy, delayed })) queueKeys.set({ queue, place }, keys);
  queueOldest.set({ queue }, seconds(oldestMs));
}
