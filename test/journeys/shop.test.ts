import assert from "node:assert/strict";
import { join } from "node:path";
import type { Cause, Run } from "../../operator/api/run.ts";
import { checkout } from "../../tools/bundle.ts";
import { awaitCondition } from "../../tools/cluster/await-condition.ts";
import { type WatchedEnvironment, watchUntilReady } from "../../tools/demo/progress.ts";
import { applyShop, pushModules, shop } from "../../tools/demo/shop.ts";
import type { Engine } from "./support/environments.ts";
import { gitNamespace, type Installation } from "./support/installation.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { patience } from "./support/patience.ts";
import { describePlace, keepPicture } from "./support/picture.ts";
import { conditionOf } from "./support/place.ts";
import { type Played, playSecondAct } from "./support/second-act.ts";

const silent = { show: () => {}, end: () => {} };
const readyWithinMs = 240_000 * patience;

journeys("the shop of the examples", () => {
  journeyWithEachEngine(
    "comes from one manifest and one push, sells plants, shows nobody its password, and leaves nothing behind",
    async ({ installation }, engine) => {
      const { kubectl } = installation;
      await whileShopIsOpen(installation, engine, async (ready, commit) => {
        await isAsItsManifestSays(kubectl, ready, engine);

        // The same again: nothing is made, and nobody waits.
        const again = await openShop(kubectl, engine, commit);
        assert.equal(again.metadata.generation, ready.metadata.generation);
        assert.equal((await runsOf(kubectl)).length, 5);
      });
    },
    { within: 480 },
  );

  journey(
    "lives through the second act of the demo: a change is approved and applied, drift is found and put right, and what ended by itself stays Expired",
    async ({ installation }) => {
      const { kubectl } = installation;
      await whileShopIsOpen(installation, "opentofu", async (ready) => {
        const service = await uidOfService(kubectl);
        const { told, ended } = await playSecondAct(installation);

        assert.match(told, /spec\.approval asks for one person, and the catalog shall have 120 plants/);
        assert.match(told, /applied, exactly as \S+ approved it: the shop sells 120 plants/);
        assert.match(told, /found: .*app/);
        const runs = await runsOf(kubectl);
        assert.deepEqual(storiesOf(runs, "catalog", "SpecChanged"), [["held", ["Approve"], "Applied"]]);
        assert.deepEqual(storiesOf(runs, "app", "DriftFound"), [["at once", [], "Applied"]]);
        assert.notEqual(await uidOfService(kubectl), service, "another Service has taken its place");
        assert.deepEqual(await specOf(kubectl), withPlants(ready.spec, 120), "and nothing else is left of the act");
        staysExpired(ended);
      });
    },
    { within: 600 },
  );
});

type Kubectl = Installation["kubectl"];

/** Applies the shop's manifest; resolves when it is Ready and of that commit. */
async function openShop(kubectl: Kubectl, engine: Engine, commit: string): Promise<WatchedEnvironment> {
  await applyShop(kubectl, await imageOfGitServer(kubectl), engine);
  return watchUntilReady(kubectl, { ...shop, commit }, silent, readyWithinMs);
}

/** Pushes and applies the shop, and deletes it after `meanwhile`: nothing of it may be left. */
async function whileShopIsOpen(
  installation: Installation,
  engine: Engine,
  meanwhile: (ready: WatchedEnvironment, commit: string) => Promise<void>,
): Promise<void> {
  const { kubectl } = installation;
  const commit = await pushModules(kubectl);
  try {
    await meanwhile(await openShop(kubectl, engine, commit), commit);
  } catch (error) {
    // The shop has a namespace of its own, and nobody could look at it any more once it is closed.
    if (error instanceof Error) error.message += await pictureOfShop(installation).catch(String);
    await closeShop(kubectl).catch(() => "what went wrong before is what is told");
    throw error;
  }
  await closeShop(kubectl);
  const left = await kubectl.run(["get", "namespace", shop.objects, "--ignore-not-found", "-o", "name"]);
  assert.equal(left, "", "the namespace that the shop made for itself is gone");
  const team = join(checkout, "examples/shop/team.yaml");
  await kubectl.run(["delete", "--ignore-not-found", "-f", team, "--timeout=120s"]);
}

async function pictureOfShop(installation: Installation): Promise<string> {
  const folder = await keepPicture(installation, shop.namespace, "the shop");
  return `\n${await describePlace(installation.client, shop.namespace)}\n    see ${folder}`;
}

async function closeShop(kubectl: Kubectl): Promise<void> {
  await kubectl.run(["delete", "environment", shop.name, "-n", shop.namespace, "--wait=false"]);
  await awaitCondition("the shop to be gone", 240 * patience, async () => {
    return (await kubectl.get("environment", shop.name, shop.namespace)) === undefined || "it is there";
  });
}

async function isAsItsManifestSays(
  kubectl: Kubectl,
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

/** Of the component's Runs that were made for this reason: whether its plan waited, what people said to it, how it ended. */
function storiesOf(runs: readonly Run[], component: string, because: Cause["type"]): readonly unknown[] {
  const these = runs.filter(({ spec }) => spec.component === component && spec.cause.type === because);
  return these.map(({ status }) => {
    const said = status?.approvals?.map(({ decision }) => decision) ?? [];
    return [status?.heldAt === undefined ? "at once" : "held", said, status?.outcome?.result];
  });
}

/** The act takes it away in the end; until then it is there, and quiet. */
function staysExpired([atItsEnd, later]: Played["ended"]): void {
  assert.ok(atItsEnd && later);
  assert.equal(conditionOf(atItsEnd, "Ready")?.reason, "Expired");
  assert.deepEqual(
    atItsEnd.status?.components?.map(({ name, state }) => [name, state]),
    [["stall", "Destroyed"]],
  );
  assert.equal(later.metadata.resourceVersion, atItsEnd.metadata.resourceVersion);
  assert.equal(later.metadata.deletionTimestamp, undefined);
}

function uidOfService(kubectl: Kubectl): Promise<string> {
  return kubectl.run(["get", "service", "shop", "-n", shop.objects, "-o", "jsonpath={.metadata.uid}"]);
}

async function specOf(kubectl: Kubectl): Promise<unknown> {
  return (await kubectl.get<WatchedEnvironment>("environment", shop.name, shop.namespace))?.spec;
}

/** The same spec with another number of plants in the catalog. */
function withPlants(spec: WatchedEnvironment["spec"], count: number): unknown {
  return JSON.parse(JSON.stringify(spec).replace('"name":"plants","value":100', `"name":"plants","value":${count}`));
}

async function runsOf(kubectl: Kubectl): Promise<readonly Run[]> {
  const list = await kubectl.run(["get", "runs", "-n", shop.namespace, "-o", "json"]);
  return (JSON.parse(list) as { readonly items: readonly Run[] }).items;
}

/** The shop's own servers run in it, too: it has Node. */
function imageOfGitServer(kubectl: Kubectl): Promise<string> {
  const path = "jsonpath={.spec.template.spec.containers[0].image}";
  return kubectl.run(["get", "deployment", "git", "-n", gitNamespace, "-o", path]);
}
