/** A plan or an apply that stands half way: whatever happens meanwhile, each resource is made once, by one pod of one Run. */
import assert from "node:assert/strict";
import type { Pod } from "../../../operator/cluster/kinds.ts";
import { anEnvironment, type Engine } from "./environments.ts";
import { repository } from "./git.ts";
import { keeps, planAsks, reports, twoSteps } from "./modules.ts";
import type { Place } from "./place.ts";

/** Begins it; resolves when the first resource is made and the second one waits for `goOn`. */
export async function applyHalfWay(place: Place, engine: Engine = "opentofu"): Promise<Pod> {
  const { outside } = place;
  outside.hold("create/second");
  const components = [{ name: "one", module: twoSteps(outside.address) }];
  await place.apply(anEnvironment({ name: "served", engine, components }));
  await outside.arrival("create/second");
  return firstPod(place);
}

/** A module that is fetched by way of the world outside; resolves when init waits there for the answer, which is to `release("library")`. */
export async function initHalfWay(place: Place, name: string): Promise<Pod> {
  const { outside } = place;
  outside.hold("library");
  const module = (await fetchedByWay(place, "library")) + reports(outside.address, "thing");
  await place.apply(anEnvironment({ name, components: [{ name: "one", module }] }));
  await outside.arrival("library");
  return firstPod(place);
}

/** A plan that asks outside for something; resolves when it waits for the answer, which is to `release("version")`. */
export async function planHalfWay(place: Place, name: string, engine: Engine = "opentofu"): Promise<Pod> {
  const { outside } = place;
  outside.hold("version");
  const module = planAsks(outside) + reports(outside.address, "thing");
  await place.apply(anEnvironment({ name, engine, components: [{ name: "one", module }] }));
  await outside.arrival("version");
  return firstPod(place);
}

/** Makes a thing and deletes the Environment; resolves when its destruction waits for `release("destroy/thing")`. */
export async function destroyHalfWay(place: Place, name: string): Promise<Pod> {
  const { outside } = place;
  await place.apply(anEnvironment({ name, components: [{ name: "one", module: reports(outside.address, "thing") }] }));
  await place.untilReady(name);
  outside.hold("destroy/thing");
  await place.delete(name);
  await outside.arrival("destroy/thing");
  const run = (await place.runs("one")).find(({ spec }) => spec.operation === "Destroy");
  assert.ok(run);
  return place.podOf(run);
}

/** Text of a module that needs another one, whose address the engine asks the world outside for in its init. */
export async function fetchedByWay(place: Place, what: string): Promise<string> {
  const { outside } = place;
  const library = await repository(place, "library", { "main.tf": keeps("x") });
  outside.answerWith(what, `<meta name="terraform-get" content="git::${library.url}">`);
  return `module "library" {\n  source = "${outside.url}/${what}"\n}\n`;
}

async function firstPod(place: Place): Promise<Pod> {
  const [run] = await place.runs("one");
  assert.ok(run);
  return place.podOf(run);
}

export function goOn({ outside }: Place): void {
  outside.release("create/second");
}

/** Resolves when the Environment is Ready, and nobody has begun anything a second time. */
export async function wentOn(place: Place): Promise<void> {
  await place.untilReady("served");
  const runs = await place.runs("one");
  assert.equal(runs.length, 1, "no second Run");
  assert.equal(runs[0]?.status?.outcome?.result, "Applied");
  assert.equal(runs[0]?.status?.pods?.length, 1, "no second pod");
  assert.deepEqual(place.outside.heard, ["create/first", "create/second"]);
}

/** Resolves when all of it is destroyed, in reverse, and the Environment is gone. */
export async function takenDown(place: Place): Promise<void> {
  await place.delete("served");
  await place.untilGone("served");
  assert.deepEqual(place.outside.heard.slice(2), ["destroy/second", "destroy/first"]);
}
