import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Seconds: from a cached answer to an apply that takes an hour. */
const CALL_SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const RUN_SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200];

/** Every series of Terrarium. Labels have few values: never a name of a namespace, an Environment or a Run. */
export function createInstruments(registry: Registry) {
  const registers = [registry];
  return {
    apiRequests: new Histogram({
      name: "terrarium_api_request_duration_seconds",
      help: "Requests to the Kubernetes API server.",
      labelNames: ["verb", "resource", "code"] as const,
      buckets: CALL_SECONDS,
      registers,
    }),
    watchRestarts: new Counter({
      name: "terrarium_watch_restarts_total",
      help: "Watches that ended badly and were begun again.",
      labelNames: ["resource"] as const,
      registers,
    }),
    queueKeys: new Gauge({
      name: "terrarium_queue_keys",
      help: "Keys in a work queue: ready, busy, or delayed until their time.",
      labelNames: ["queue", "place"] as const,
      registers,
    }),
    queueOldest: new Gauge({
      name: "terrarium_queue_oldest_seconds",
      help: "How long the oldest ready key has waited for a worker.",
      labelNames: ["queue"] as const,
      registers,
    }),
    queueRetries: new Counter({
      name: "terrarium_queue_retries_total",
      help: "Keys that failed and are tried again.",
      labelNames: ["queue"] as const,
      registers,
    }),
    reconciles: new Histogram({
      name: "terrarium_reconcile_duration_seconds",
      help: "Rounds of the controllers, by how they ended.",
      labelNames: ["queue", "outcome"] as const,
      buckets: CALL_SECONDS,
      registers,
    }),
    runs: new Histogram({
      name: "terrarium_run_duration_seconds",
      help: "Finished Runs, from their creation to their result.",
      labelNames: ["operation", "result", "reason"] as const,
      buckets: RUN_SECONDS,
      registers,
    }),
    gatewayRequests: new Histogram({
      name: "terrarium_gateway_request_duration_seconds",
      help: "Requests of runner pods to the gateway.",
      labelNames: ["route", "code"] as const,
      buckets: CALL_SECONDS,
      registers,
    }),
    gitLookups: new Histogram({
      name: "terrarium_git_lookup_duration_seconds",
      help: "Git refs that were looked up, by how it ended.",
      labelNames: ["outcome"] as const,
      buckets: CALL_SECONDS,
      registers,
    }),
    storeBytes: new Gauge({
      name: "terrarium_store_bytes",
      help: "What the state store takes in etcd: its records, and the states, archives and journals that they refer to.",
      labelNames: ["what"] as const,
      registers,
    }),
    storeRecords: new Gauge({
      name: "terrarium_store_records",
      help: "Records of the state store, one for each component.",
      registers,
    }),
    leader: new Gauge({
      name: "terrarium_leader",
      help: "1 in the replica that reconciles, 0 in the others.",
      registers,
    }),
  };
}

export type Instruments = ReturnType<typeof createInstruments>;
