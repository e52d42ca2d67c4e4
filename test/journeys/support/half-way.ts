/** A plan or an apply that stands half way: whatever happens meanwhile, each resource is made once, by one pod of one Run. */
import assert from "node:assert/strict";
import type { Pod } from "../../../operator/cluster/kinds.ts";
import { archiveOf } from "./archive.ts";
import { anEnvironment, type Engine } from "./environments.ts";
import { keeps, planAsks, reports, twoSteps } from "./modules.ts";
import type { Place } from "./place.ts";

/** What init waits for outside: an archive with a module. */
export const LIBRARY = "library.tar.gz";

/** Begins it; resolves when the first resource is made and the second one waits for `goOn`. */
export async function applyHalfWay(place: Place, engine: Engine = "opentofu"): Promise<Pod> {
  const { outside } = place;
  outside.hold("create/second");
  const components = [{ name: "one", module: twoSteps(outside.address) }];
  await place.apply(anEnvironment({ name: "served", engine, components }));
  await outside.arrival("create/second");
  return firstPod(place);
}

/** A module that needs another one; resolves when init waits for that, which is to `release(LIBRARY)`. */
export async function initHalfWay(place: Place, name: string): Promise<Pod> {
  const { outside } = place;
  outside.hold(LIBRARY);
  const module = (await fetches(place, LIBRARY)) + reports(outside.address, "thing");
  await place.apply(anEnvironment({ name, components: [{ name: "one", module }] }));
  await outside.arrival(LIBRARY);
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

/** Text of a module that needs another one, which init fetches from the world outside. */
export async function fetches({ outside }: Place, archive: string): Promise<string> {
  outside.answerWith(archive, await archiveOf({ "main.tf": keeps("fetched") }));
  return `module "library" {\n  source = "${outside.url}/${archive}"\n}\n`;
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
