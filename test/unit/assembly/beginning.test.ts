import assert from "node:assert/strict";
import type { Caches } from "../../../operator/assembly/caches.ts";
import { environmentController } from "../../../operator/assembly/controllers.ts";
import type { Cache, KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import type { EnvironmentPorts } from "../../../operator/environment/ports.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { createMetrics } from "../../../operator/telemetry/metrics.ts";
import { anEnvironment } from "../../fakes/objects.ts";

const NAMES = ["environments", "runs", "records"] as const;

/** A cache whose first list arrives when the test says so. */
function fillingCache(objects: readonly Stored<KubeObject>[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cache: Pick<Cache<KubeObject>, "synced" | "onChange"> = {
    synced: () => promise,
    onChange(handler) {
      for (const now of objects) handler(undefined, now);
      return () => {};
    },
  };
  return { ...cache, fill: resolve };
}

describe("The controller of Environments", () => {
  for (const last of NAMES)
    it(`decides nothing before it knows all ${last}`, async () => {
      const environment = anEnvironment([]) as unknown as Stored<KubeObject>;
      const caches = { environments: fillingCache([environment]), runs: fillingCache([]), records: fillingCache([]) };
      const looked: string[] = [];
      const ports = {
        environment: (_namespace, name) => void looked.push(name),
        stopFollowing: () => {},
      } as Partial<EnvironmentPorts> as EnvironmentPorts;
      const stop = new AbortController();
      const working = environmentController({
        clock: systemClock,
        caches: caches as unknown as Caches,
        metrics: createMetrics({ ofProcess: false }),
        environment: ports,
        run: {} as never,
        maxChecks: 1,
        onFailure: (...why) => assert.fail(`${why}`),
      }).run(stop.signal);
      for (const name of NAMES) if (name !== last) caches[name].fill();
      await someTurns();
      assert.deepEqual(looked, []);
      caches[last].fill();
      await someTurns();
      assert.deepEqual(looked, ["shop"]);
      stop.abort();
      await working;
    });
});

async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
