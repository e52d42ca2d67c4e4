import assert from "node:assert/strict";
import { type Caches, RUN_INDEXES } from "../../../operator/assembly/caches.ts";
import { countPlaces } from "../../../operator/assembly/places.ts";
import { aCheck, aRun, countedCache, noPods, type StoredRun, startController } from "./run-caches.ts";

const closedRuns = (count: number) => Array.from({ length: count }, (_, at) => aRun(1000 + at, "Succeeded"));

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
