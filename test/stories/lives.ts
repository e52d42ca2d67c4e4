/** Lives that several tests look at, each for something of its own: write by write, or at every moment for what tools show; and what they are made of. */
import type { EnvironmentSpec } from "../../operator/api/environment.ts";
import { isClosed } from "../../operator/api/run.ts";
import type { Window } from "../../operator/api/time.ts";
import { PODS } from "../../operator/cluster/resources.ts";
import { aLifetime } from "../fakes/objects.ts";
import { removeByHand } from "../fakes/world-kubelet.ts";
import { aModule } from "../fakes/world-people.ts";
import { isConverged, type Told, until } from "./telling.ts";

export const pair = [aModule("network"), aModule("app", ["network"])];
export const diamond = [
  aModule("network"),
  aModule("database", ["network"]),
  aModule("cache", ["network"]),
  aModule("app", ["database", "cache"]),
];
export const nights: Window = {
  name: "nights",
  type: "Allow",
  schedule: "0 22 * * *",
  duration: "2h",
  timeZone: "UTC",
};
export const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };

const DRIFT = { drift: { interval: "10m" } };
const CORRECTED_DRIFT = { drift: { interval: "10m", action: "Correct" as const } };

export const created = (told: Told) => until(told, "created", () => told.person.exists() && isConverged(told), false);
export const gone = (told: Told) =>
  until(
    told,
    "gone",
    () => !told.person.exists() && told.person.runs().length + told.person.pods().length === 0,
    false,
  );

const says = ({ person }: Told, type: string, reason: string) => person.conditionOf(type)?.reason === reason;
const drifted = ({ person }: Told) => person.conditionOf("Drifted")?.status;

export const checks = ({ person }: Told) => person.runs().filter(({ spec: { operation } }) => operation === "Check");

/** One look at each component, from now on. */
export async function lookedAt(told: Told): Promise<void> {
  const since = told.world.clock.now().toISOString();
  const names = told.person.find()?.spec.components.map(({ name }) => name) ?? [];
  const looked = (name: string) =>
    checks(told).some((run) => run.spec.component === name && (run.status?.finishedAt ?? "") > since);
  await until(told, "everything is looked at", () => names.every(looked), false);
}

/** Looked at, tampered with, found, mended by a change, deleted in the middle of a look. */
export async function lifeWithDrift(told: Told): Promise<void> {
  const { world, person } = told;
  person.create(pair, DRIFT);
  await created(told);
  await lookedAt(told);
  person.tamper("network");
  await until(told, "found", () => drifted(told) === "True", false);
  person.set("network", "value", "v2");
  await until(told, "changed", () => isConverged(told) && drifted(told) !== "True", false);
  while (!checks(told).some((run) => !isClosed(run))) {
    if (await world.step()) continue;
    world.clock.advance(world.clock.untilNext() ?? 0);
  }
  person.delete();
  await gone(told);
}

async function lifeWithCorrections(told: Told): Promise<void> {
  told.person.create(pair, CORRECTED_DRIFT);
  await created(told);
  told.person.tamper("network", "delete");
  await until(told, "brought back", () => isConverged(told) && drifted(told) === "False", false);
}

async function lifeWithWindows(told: Told): Promise<void> {
  const { person } = told;
  person.create(pair, { windows: [nights] });
  await until(told, "closed", () => says(told, "Ready", "WindowClosed"), false);
  await created(told);
  told.world.clock.advance(12 * 3_600_000);
  person.set("network", "value", "v2");
  await until(told, "closed again", () => says(told, "Ready", "WindowClosed"), false);
  person.overrideWindows("the shop is down");
  await until(told, "overridden", () => isConverged(told), false);
}

async function lifeThatEnds(told: Told): Promise<void> {
  const { person, world } = told;
  person.create(pair, { lifetime: aLifetime() });
  await created(told);
  await until(told, "nearly over", () => says(told, "Expiring", "Expiring"), false);
  await until(told, "over", () => person.hasEnded(), false);
  person.extendUntil(new Date(world.clock.now().getTime() + 48 * 3_600_000));
  await until(told, "extended", () => isConverged(told), false);
}

async function lifeWithSleep(told: Told): Promise<void> {
  const { person } = told;
  const sleeping = pair.map((component) => ({ ...component, sleep: { destroy: true } }));
  person.create(sleeping, { lifetime: { sleep } as NonNullable<EnvironmentSpec["lifetime"]> });
  const awake = () => isConverged(told) && says(told, "Ready", "Applied");
  await until(told, "awake", awake, false);
  await until(told, "asleep", () => says(told, "Ready", "Asleep"), false);
  await until(told, "awake again", awake, false);
}

async function lifeOfADiamond(told: Told): Promise<void> {
  const { person } = told;
  person.create([aModule("network"), aModule("database", ["network"], { mode: "plan-fails" }), ...diamond.slice(2)]);
  await until(told, "given up", () => says(told, "Stalled", "RetriesExhausted"), false);
  person.set("database", "mode", "good");
  await until(told, "mended", () => isConverged(told), false);
  person.delete();
  await gone(told);
}

/** An apply is cut off in its middle: something exists that no state knows of. */
export async function cutOff({ world, person }: Told): Promise<void> {
  person.create([aModule("network", [], { size: 3 })]);
  while (world.cloud.objects().length < 2) await world.step();
  const [writer] = world.cloud.writers();
  if (writer === undefined) throw new Error("nobody writes to the cloud");
  world.kubelet.kill(writer.pod, "OOMKilled");
  await world.rest();
}

async function cutOffAndApproved(told: Told): Promise<void> {
  await cutOff(told);
  for (const run of told.person.waiting()) told.person.say("Approve", "ann", run);
  await until(told, "approved", () => isConverged(told), false);
}

async function cutOffAndDeleted(told: Told): Promise<void> {
  await cutOff(told);
  told.person.delete();
  await until(told, "left behind", () => says(told, "Stalled", "LeftBehind"), false);
  told.person.help();
  await gone(told);
}

/** Nobody can tell whether its pod lives, until a person says so. */
async function outOfSight(told: Told): Promise<void> {
  const { person, world } = told;
  person.create([aModule("network", [], { size: 3 })]);
  while (world.cloud.objects().length < 1) await world.step();
  world.setGatewayAway(true);
  for (const pod of world.api.all(PODS.plural)) removeByHand(world.api, pod as Parameters<typeof removeByHand>[1]);
  for (let steps = 0; steps < 300; steps += 1) await world.step();
  world.setGatewayAway(false);
  await until(told, "told and mended", () => isConverged(told));
}

/** Of drift, of time, and of a diamond. */
export const lives: readonly ((told: Told) => Promise<void>)[] = [
  lifeWithDrift,
  lifeWithCorrections,
  lifeWithWindows,
  lifeThatEnds,
  lifeWithSleep,
  lifeOfADiamond,
  cutOffAndApproved,
  cutOffAndDeleted,
  outOfSight,
];
