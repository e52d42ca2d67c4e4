import assert from "node:assert/strict";
import { type CachedRun, type Caches, RUN_INDEXES } from "../../../operator/assembly/caches.ts";
import { countPlaces } from "../../../operator/assembly/places.ts";
import type { KubeObject } from "../../../operator/cluster/ports.ts";
import { aCheck, aRun, countedCache, noPods, podOf, type StoredRun, startController } from "./run-caches.ts";

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
