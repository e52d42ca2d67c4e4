import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import type { RunPorts } from "../../../operator/run/ports.ts";
import { reconcileRun } from "../../../operator/run/reconcile.ts";
import { anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { aPod, runSpec } from "./observations.ts";

/** A world in which everything that is looked up takes a moment, and so many pods may be made. */
function aWorld(limit: number) {
  const made: string[] = [];
  const told = new Map<string, string | undefined>();
  const runs = new Map<string, Run>(
    ["network", "database", "cache", "api", "web"].map((component, at) => {
      const run = aRun(runSpec({ component, number: at + 1 }));
      return [run.metadata.name, run];
    }),
  );
  const ports = {
    now: () => new Date(T0),
    run: (_namespace, name) => runs.get(name),
    environment: () => anEnvironment([]),
    pod: async () => undefined,
    freePlaces: () => limit - made.length,
    async makePod(run) {
      made.push(run.metadata.name);
      return { type: "made", pod: aPod({ metadata: { name: run.metadata.name } }) };
    },
    deleteEarlierPods: async () => {},
    async writeStatus(run, { message }) {
      told.set(run.metadata.name, message);
      return true;
    },
  } as Partial<RunPorts> as RunPorts;
  return { made, told, names: [...runs.keys()], ports };
}

describe("The rounds of several Runs at the same time", () => {
  it("take no more places than there are, and the others say that they wait for one", async () => {
    const { made, told, names, ports } = aWorld(2);
    await Promise.all(names.map((name) => reconcileRun("team", name, ports, new AbortController().signal)));
    assert.deepEqual(made, names.slice(0, 2));
    for (const name of names.slice(2)) assert.match(told.get(name) ?? "", /waits for a free place/);
  });
});
