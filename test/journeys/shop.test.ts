import assert from "node:assert/strict";
import { join } from "node:path";
import type { Run } from "../../operator/api/run.ts";
import { checkout } from "../../tools/bundle.ts";
import { type WatchedEnvironment, watchUntilReady } from "../../tools/demo/progress.ts";
import { applyShop, pushModules, shop } from "../../tools/demo/shop.ts";
import { gitNamespace, type Installation } from "./support/installation.ts";
import { journeys, journeyWithEachEngine } from "./support/journey.ts";
import { patience } from "./support/patience.ts";

const silent = { show: () => {}, end: () => {} };
const readyWithinMs = 240_000 * patience;

journeys("the shop of the examples", () => {
  journeyWithEachEngine(
    "comes from one manifest and one push, sells plants, shows nobody its password, and leaves nothing behind",
    async ({ installation: { kubectl } }, engine) => {
      const commit = await pushModules(kubectl);
      let isOver = false;
      try {
        await applyShop(kubectl, await imageOfGitServer(kubectl), engine);
        const ready = await watchUntilReady(kubectl, { ...shop, commit }, silent, readyWithinMs);
        await isAsItsManifestSays(kubectl, ready, engine);

        // The same again: nothing is made, and nobody waits.
        await applyShop(kubectl, await imageOfGitServer(kubectl), engine);
        const again = await watchUntilReady(kubectl, { ...shop, commit }, silent, readyWithinMs);
        assert.equal(again.metadata.generation, ready.metadata.generation);
        assert.equal((await runsOf(kubectl)).length, 5);
        isOver = true;
      } finally {
        const deleted = kubectl.run(["delete", "environment", shop.name, "-n", shop.namespace, "--timeout=170s"]);
        // What went wrong before is what is told.
        await (isOver ? deleted : deleted.catch(() => ""));
      }
      const left = await kubectl.run(["get", "namespace", shop.objects, "--ignore-not-found", "-o", "name"]);
      assert.equal(left, "", "the namespace that the shop made for itself is gone");
      await kubectl.run([
        "delete",
        "--ignore-not-found",
        "-f",
        join(checkout, "examples/shop/team.yaml"),
        "--timeout=120s",
      ]);
    },
    { within: 480 },
  );
});

async function isAsItsManifestSays(
  kubectl: Installation["kubectl"],
  { spec, status }: WatchedEnvironment,
  engine: string,
): Promise<void> {
  assert.equal(spec.components.length, 5);
  const outputs = new Map(status?.outputs?.map((output) => [output.name, output]));
  assert.equal(outputs.get("plants")?.value, 100);
  assert.deepEqual([outputs.get("database_url")?.sensitive, outputs.get("database_url")?.value], [true, undefined]);
  assert.doesNotMatch(JSON.stringify(status), /correct-horse/);
  const runs = await runsOf(kubectl);
  assert.deepEqual([...new Set(runs.map((run) => run.spec.engine.name))], [engine]);
  const catalog = runs.find((run) => run.spec.component === "catalog");
  assert.ok((catalog?.status?.outcome?.resources ?? 0) >= 100, "one component has a hundred resources");
  for (const deployment of ["database", "shop", "monitor"])
    await kubectl.run(["rollout", "status", `deployment/${deployment}`, "-n", shop.objects, "--timeout=60s"]);
  await kubectl.run(["get", "service", "shop", "-n", shop.objects]);
}

async function runsOf(kubectl: Installation["kubectl"]): Promise<readonly Run[]> {
  const list = await kubectl.run(["get", "runs", "-n", shop.namespace, "-o", "json"]);
  return (JSON.parse(list) as { readonly items: readonly Run[] }).items;
}

/** The shop's own servers run in it, too: it has Node. */
function imageOfGitServer(kubectl: Installation["kubectl"]): Promise<string> {
  const path = "jsonpath={.spec.template.spec.containers[0].image}";
  return kubectl.run(["get", "deployment", "git", "-n", gitNamespace, "-o", path]);
}
