/** Runs in caches that nothing fills but the test, and the Run controller on them. */
import assert from "node:assert/strict";
import { API_VERSION } from "../../../operator/api/names.ts";
import type { RunPhase } from "../../../operator/api/run-status.ts";
import type { CachedRun, Caches } from "../../../operator/assembly/caches.ts";
import { runController } from "../../../operator/assembly/controllers.ts";
import type { Cache, KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { createStore, type Indexes } from "../../../operator/loop/store.ts";
import type { RunPorts } from "../../../operator/run/ports.ts";
import type { StateKey } from "../../../operator/storage/record.ts";
import { createMetrics } from "../../../operator/telemetry/metrics.ts";
import { specOf } from "../gateway/gateway-world.ts";

export type StoredRun = Stored<CachedRun>;

export function aRun(number: number, phase: RunPhase, hasPod = phase !== "Pending", version = 1): StoredRun {
  const name = `shop-network-${number}`;
  const run = {
    apiVersion: API_VERSION,
    kind: "Run",
    metadata: { name, namespace: "team-shop", uid: `uid-${name}`, resourceVersion: String(version) },
    spec: specOf("network", number),
    status: { phase, ...(hasPod ? { pods: [{ name: `${name}-p`, uid: `pod-of-${name}` }] } : {}) },
  };
  return run as unknown as StoredRun;
}

export function aCheck(number: number, phase?: RunPhase, component = "network", version = 1): StoredRun {
  const run = aRun(number, phase ?? "Pending", false, version);
  const spec = { ...run.spec, component, operation: "Check" as const };
  const { status: _none, ...bare } = run;
  return phase === undefined ? { ...bare, spec } : { ...run, spec };
}

export function podOf({ metadata }: StoredRun): Stored<KubeObject> {
  const name = `${metadata.name}-p`;
  return {
    metadata: { name, namespace: metadata.namespace, uid: `uid-${name}`, resourceVersion: "1" },
  } as Stored<KubeObject>;
}

/** A cache without a watch, which counts the objects that it hands out. */
export function countedCache<T extends KubeObject>(indexes: Indexes<T>, objects: readonly Stored<T>[]) {
  const store = createStore<T>(indexes);
  store.replace(objects);
  const handlers: Parameters<Cache<T>["onChange"]>[0][] = [];
  const seen = { objects: 0 };
  const counted = (found: readonly Stored<T>[]) => {
    seen.objects += found.length;
    return found;
  };
  const cache: Cache<T> = {
    hasSynced: () => true,
    synced: () => Promise.resolve(),
    get: (namespace, name) => store.get(`${namespace ?? ""}/${name}`),
    list: () => counted(store.values()),
    byIndex: (index, value) => counted(store.byIndex(index, value)),
    onChange(handler) {
      handlers.push(handler);
      for (const now of store.values()) handler(undefined, now);
      return () => {};
    },
  };
  const publish = (changes: ReturnType<typeof store.put>) => {
    for (const { old, now } of changes) for (const handler of handlers) handler(old, now);
  };
  return {
    ...cache,
    seen,
    put: (object: Stored<T>) => publish(store.put(object)),
    remove: (object: Stored<T>) => publish(store.remove(object)),
  };
}

export const noPods = countedCache<KubeObject>({}, []);

/** The Run controller on such caches; its rounds are only told of. */
export async function startController(runs: ReturnType<typeof countedCache<CachedRun>>) {
  const rounds: string[] = [];
  const others = countedCache<KubeObject>({}, []);
  const onRecord: ((key: StateKey) => void)[] = [];
  const onChange = (handler: (key: StateKey) => void) => void onRecord.push(handler);
  const records = { synced: () => Promise.resolve(), onChange };
  const empty = { approvals: others, environments: others, pods: others, nodes: others };
  const caches = { runs, records, ...empty } as unknown as Caches;
  const run = {
    run(_namespace: string, name: string) {
      rounds.push(name);
    },
    podsOf: () => [],
  } as unknown as RunPorts;
  const parts = { clock: systemClock, caches, metrics: createMetrics({ ofProcess: false }), run };
  const controller = runController({
    ...parts,
    maxChecks: 1,
    environment: {} as never,
    onFailure: (...why) => assert.fail(`${why}`),
  });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  const idle = async () => {
    do await new Promise<void>((resolve) => setImmediate(resolve));
    while (controller.measure().ready + controller.measure().busy > 0);
    return rounds.splice(0).sort();
  };
  return {
    idle,
    recordChanges(key: StateKey) {
      for (const handler of onRecord) handler(key);
    },
    async stop() {
      stop.abort();
      await running;
    },
  };
}
