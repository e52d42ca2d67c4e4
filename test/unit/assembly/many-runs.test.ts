import assert from "node:assert/strict";
import { API_VERSION } from "../../../operator/api/names.ts";
import type { RunPhase } from "../../../operator/api/run-status.ts";
import { type CachedRun, type Caches, RUN_INDEXES } from "../../../operator/assembly/caches.ts";
import { runController } from "../../../operator/assembly/controllers.ts";
import { countPlaces } from "../../../operator/assembly/places.ts";
import type { Cache, KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { createStore, type Indexes } from "../../../operator/loop/store.ts";
import type { RunPorts } from "../../../operator/run/ports.ts";
import type { StateKey } from "../../../operator/storage/record.ts";
import { createMetrics } from "../../../operator/telemetry/metrics.ts";
import { specOf } from "../gateway/gateway-world.ts";

type StoredRun = Stored<CachedRun>;

function aCheck(number: number, phase?: RunPhase, component = "network", version = 1): StoredRun {
  const run = aRun(number, phase ?? "Pending", false, version);
  const spec = { ...run.spec, component, operation: "Check" as const };
  const { status: _none, ...bare } = run;
  return phase === undefined ? { ...bare, spec } : { ...run, spec };
}

function podOf({ metadata }: StoredRun): Stored<KubeObject> {
  const name = `${metadata.name}-p`;
  return {
    metadata: { name, namespace: metadata.namespace, uid: `uid-${name}`, resourceVersion: "1" },
  } as Stored<KubeObject>;
}

/** A cache without a watch, which counts the objects that it hands out. */
function countedCache<T extends KubeObject>(indexes: Indexes<T>, objects: readonly Stored<T>[]) {
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

function aRun(number: number, phase: RunPhase, hasPod = phase !== "Pending", version = 1): StoredRun {
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

const closedRuns = (count: number) => Array.from({ length: count }, (_, at) => aRun(1000 + at, "Succeeded"));

/** The Run controller on such caches; its rounds are only told of. */
async function startController(runs: ReturnType<typeof countedCache<CachedRun>>) {
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

const noPods = countedCache<KubeObject>({}, []);

/** Objects that are looked at when a leader starts with that many closed Runs and three open ones, and counts places once for each. */
async function lookedAt(count: number): Promise<number> {
  const open = [aRun(1, "Applying"), aRun(2, "Pending"), aRun(3, "Pending")];
  const all = [...open, ...closedRuns(count)];
  const runs = countedCache(RUN_INDEXES, all);
  const places = countPlaces({ runs, pods: noPods } as unknown as Caches, { runs: 2, checks: 1 });
  const controller = await startController(runs);
  assert.equal((await controller.idle()).length, all.length);
  for (const run of all) places.freeFor(run);
  await controller.stop();
  return runs.seen.objects;
}

describe("thousands of closed Runs", function () {
  this.timeout(60_000);

  it("cost a starting leader ten times as much when there are ten times as many, not a hundred times", async () => {
    const [few, many] = [await lookedAt(1_000), await lookedAt(10_000)];
    assert.ok(many <= 11 * few, `${few} objects for 1,000 Runs, ${many} for 10,000`);
    assert.ok(many <= 3 * 10_003, `${many} objects for 10,000 Runs`);
  });
});

describe("a place that becomes free", () => {
  const waiting = [aRun(2, "Pending"), aRun(3, "Pending")];
  const names = waiting.map(({ metadata }) => metadata.name);

  async function toldAfter(change: (runs: ReturnType<typeof countedCache<CachedRun>>) => void) {
    const runs = countedCache(RUN_INDEXES, [aRun(1, "Applying"), ...waiting, aRun(4, "Succeeded")]);
    const controller = await startController(runs);
    await controller.idle();
    change(runs);
    const told = await controller.idle();
    await controller.stop();
    return told;
  }

  it("is told to the Runs that wait when an open one closes", async () => {
    const told = await toldAfter((runs) => runs.put(aRun(1, "Failed", true, 2)));
    assert.deepEqual(told, ["shop-network-1", ...names]);
  });

  it("is told to the Runs that wait when one closes whose pod was never made", async () => {
    assert.deepEqual(await toldAfter((runs) => runs.put(aRun(2, "Failed", false, 2))), names);
    assert.deepEqual(await toldAfter((runs) => runs.remove(aRun(2, "Pending"))), names);
  });

  it("is told to the Runs that wait when an open one is deleted", async () => {
    const told = await toldAfter((runs) => runs.remove(aRun(1, "Applying")));
    assert.deepEqual(told, ["shop-network-1", ...names]);
  });

  it("is none where a closed one changes, or an open one goes on", async () => {
    const changes = [aRun(4, "Succeeded", true, 2), aRun(1, "Planning", true, 2)];
    const told = await toldAfter((runs) => changes.forEach(runs.put));
    assert.deepEqual(told, ["shop-network-1", "shop-network-4"]);
  });
});

describe("counting places", () => {
  it("counts recorded pods and those that were just asked for, once each and not those of closed Runs", () => {
    const [asking, next] = [aRun(2, "Pending"), aRun(3, "Pending")];
    const runs = countedCache(RUN_INDEXES, [aRun(1, "Applying"), asking, next, aRun(4, "Failed")]);
    const places = countPlaces({ runs, pods: noPods } as unknown as Caches, { runs: 3, checks: 1 });
    assert.equal(places.freeFor(next), 2);
    places.take(asking);
    assert.deepEqual([places.freeFor(next), places.freeFor(asking)], [1, 2]);
    runs.put(aRun(2, "Planning", true, 2));
    assert.equal(places.freeFor(next), 1);
    runs.put(aRun(2, "Succeeded", true, 3));
    assert.equal(places.freeFor(next), 2);
  });

  it("gives back the place of a Run whose plan waits for people, and takes one again for the pod that applies it", () => {
    const heldAt = "2026-01-01T00:00:00Z";
    const asking = aRun(2, "Pending");
    const runs = countedCache(RUN_INDEXES, [asking]);
    const places = countPlaces({ runs, pods: noPods } as unknown as Caches, { runs: 1, checks: 1 });
    const next = aRun(3, "Pending");
    const waiting = (version: number, more: object = {}): StoredRun => {
      const run = aRun(2, "AwaitingApproval", true, version);
      return { ...run, status: { ...run.status, heldAt, ...more } } as unknown as StoredRun;
    };
    places.take(asking);
    assert.equal(places.freeFor(next), 0);
    runs.put(waiting(2));
    assert.equal(places.freeFor(next), 1, "a plan that waits keeps no place");
    places.take(waiting(2));
    assert.equal(places.freeFor(next), 0, "its second pod was just asked for");
    const { name } = asking.metadata;
    runs.put(waiting(3, { phase: "Applying", pods: [{ name: `${name}-p` }, { name: `${name}-a` }] }));
    assert.equal(places.freeFor(next), 0, "its second pod is there, and counts once");
  });

  it("knows the pods that a leader before this one made and did not live to record", () => {
    const [made, next] = [aRun(2, "Pending"), aRun(3, "Pending")];
    const runs = countedCache(RUN_INDEXES, [made, next]);
    const pods = countedCache<KubeObject>({}, [podOf(made)]);
    const places = countPlaces({ runs, pods } as unknown as Caches, { runs: 2, checks: 1 });
    assert.deepEqual([places.freeFor(next), places.freeFor(made)], [1, 2]);
    runs.put(aRun(2, "Planning", true, 2));
    assert.equal(places.freeFor(next), 1);
  });

  it("gives back the place of a Run that went before its pod was recorded", () => {
    const asking = aRun(2, "Pending");
    const runs = countedCache(RUN_INDEXES, [asking]);
    const places = countPlaces({ runs, pods: noPods } as unknown as Caches, { runs: 1, checks: 1 });
    places.take(asking);
    runs.remove(asking);
    assert.equal(places.freeFor(aRun(3, "Pending")), 1);
  });
});

describe("a place that is given back, since a pod could not be made", () => {
  for (const [kind, one, another] of [
    ["Run", aRun(2, "Pending"), aRun(3, "Pending")],
    ["Check", aCheck(2), aCheck(3)],
  ] as const)
    it(`is another ${kind}'s, unless there is a pod all the same`, () => {
      const runs = countedCache(RUN_INDEXES, [one, another]);
      const pods = countedCache<KubeObject>({}, []);
      const places = countPlaces({ runs, pods } as unknown as Caches, { runs: 1, checks: 1 });
      places.take(one);
      assert.equal(places.freeFor(another), 0);
      places.giveBack(one);
      assert.equal(places.freeFor(another), 1);
      pods.put(podOf(one));
      assert.equal(places.freeFor(another), 0, "the answer was lost, and the pod was made");
    });
});

describe("places of Checks", () => {
  it("are their own: a change does not wait for a Check, nor a Check for changes", () => {
    const [one, two, next] = [aCheck(5), aCheck(6), aCheck(7)];
    const runs = countedCache(RUN_INDEXES, [aRun(1, "Applying"), aRun(2, "Applying"), one, two, next]);
    const pods = countedCache<KubeObject>({}, [podOf(one)]);
    const places = countPlaces({ runs, pods } as unknown as Caches, { runs: 3, checks: 2 });
    assert.deepEqual([places.freeFor(aRun(3, "Pending")), places.freeFor(next)], [1, 1]);
    places.take(two);
    assert.deepEqual([places.freeFor(aRun(3, "Pending")), places.freeFor(next), places.freeFor(two)], [1, 0, 1]);
    runs.put(aCheck(5, "Succeeded", "network", 2));
    assert.equal(places.freeFor(next), 1);
  });

  it("that become free are told to those that have waited longest, and not to the whole fleet", async () => {
    const waiting = Array.from({ length: 50 }, (_, at) => {
      const check = aCheck(100 + at);
      const creationTimestamp = new Date(Date.UTC(2026, 0, 1, 0, 50 - at)).toISOString();
      return { ...check, metadata: { ...check.metadata, creationTimestamp } };
    });
    const runs = countedCache(RUN_INDEXES, [...waiting, aRun(1, "Pending")]);
    const controller = await startController(runs);
    await controller.idle();
    runs.put({ ...waiting[49], ...aCheck(149, "Succeeded", "network", 2) } as StoredRun);
    const told = await controller.idle();
    await controller.stop();
    assert.deepEqual(told, ["shop-network-147", "shop-network-148", "shop-network-149"]);
  });
});

describe("a change that begins", () => {
  it("is told to the open Checks of its component, and to no others", async () => {
    const runs = countedCache(RUN_INDEXES, [aCheck(2), aCheck(3, "Succeeded"), aCheck(4, undefined, "database")]);
    const controller = await startController(runs);
    await controller.idle();
    runs.put(aRun(5, "Pending"));
    const told = await controller.idle();
    await controller.stop();
    assert.deepEqual(told, ["shop-network-2", "shop-network-5"]);
  });
});

describe("a plan that waits", () => {
  const waiting = {
    ...aRun(2, "AwaitingApproval"),
    status: { phase: "AwaitingApproval", heldAt: "2026-01-01T00:00:00Z" },
  };
  const elsewhere = { namespace: "team-shop", environment: "another", component: "network" };

  it("hears of the end of each Run of its Environment, and of each record: by them, what it needs may be settled", async () => {
    const others = [aRun(3, "Pending"), aRun(4, "Succeeded"), aRun(5, "Pending")];
    const runs = countedCache(RUN_INDEXES, [waiting as unknown as StoredRun, ...others]);
    const controller = await startController(runs);
    await controller.idle();
    runs.put(aRun(3, "Cancelled", false, 2));
    // The place of Run 3 may be for Run 5.
    assert.deepEqual([...new Set(await controller.idle())], ["shop-network-2", "shop-network-3", "shop-network-5"]);
    runs.put(aRun(5, "Planning", true, 2));
    assert.deepEqual(await controller.idle(), ["shop-network-5"]);
    controller.recordChanges({ ...elsewhere, environment: "shop" });
    assert.deepEqual(await controller.idle(), ["shop-network-2"]);
    controller.recordChanges(elsewhere);
    assert.deepEqual(await controller.idle(), []);
    await controller.stop();
  });
});
