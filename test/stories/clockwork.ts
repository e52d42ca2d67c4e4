import type { Component } from "../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../operator/api/environment.ts";
import type { Lifetime, Sleep, Window } from "../../operator/api/time.ts";
import { dependenciesOf } from "../../operator/environment/graph.ts";
import { type Dice, diceFor } from "../fakes/world-dice.ts";
import type { Happening } from "./chaos.ts";
import { isConverged, type Told, until } from "./telling.ts";

/** What goes by the clock in a story: windows, an end of life, sleep; and what people say about these. */

const MINUTE_MS = 60_000;

const window = (type: Window["type"], schedule: string, duration: string): Window => ({
  name: `${type.toLowerCase()}-${schedule.replaceAll(/[^0-9]+/g, "-")}x`,
  type,
  schedule,
  duration,
  timeZone: "UTC",
});

const WINDOWS: readonly (readonly Window[])[] = [
  [window("Allow", "*/20 * * * *", "8m")],
  [window("Allow", "0 * * * *", "30m"), window("Deny", "10 * * * *", "10m")],
  [window("Deny", "*/30 * * * *", "20m")],
  [window("Allow", "15 */3 * * *", "1h")],
];

const NIGHTS: readonly Sleep[] = [
  { schedule: "0 * * * *", wake: "30 * * * *", timeZone: "UTC" },
  { schedule: "20 * * * *", wake: "35 * * * *", timeZone: "UTC" },
  { schedule: "40 */2 * * *", wake: "10 * * * *", timeZone: "UTC" },
];

/** A spec that goes by the clock, in two stories of five. */
export function anyClockwork({ world }: Told): Pick<EnvironmentSpec, "windows" | "lifetime"> {
  const dice = diceFor(world.seed, "clockwork");
  const { incidents } = world;
  const [hasWindows, ends, sleeps] = [dice.chance(0.18), dice.chance(0.18), dice.chance(0.18)];
  const [windows, end, sleep] = [dice.pick(WINDOWS), anyEnd(dice), dice.pick(NIGHTS)];
  const lifetime = {
    ...(ends && incidents.happens("end") ? end : {}),
    ...(sleeps && sleep !== undefined && incidents.happens("sleep") ? { sleep } : {}),
  };
  return {
    ...(hasWindows && windows !== undefined && incidents.happens("windows") ? { windows: [...windows] } : {}),
    ...(Object.keys(lifetime).length === 0 ? {} : { lifetime: { ...USUAL, ...lifetime } }),
  };
}

// biome-ignore lint/suspicious/noThenProperty: a word of the API, whose value is never a function.
const USUAL = { warnBefore: "10m", then: "Destroy" } as const;

const anyEnd = (dice: Dice): Pick<Lifetime, "ttl" | "then"> => ({
  ttl: dice.pick(["20m", "1h", "3h", "24h"]) ?? "1h",
  // biome-ignore lint/suspicious/noThenProperty: a word of the API, whose value is never a function.
  then: dice.chance(0.3) ? "DeleteObject" : "Destroy",
});

/** Some components are destroyed in their sleep, others run with a smaller size. What uses one that is destroyed is so, too. */
export function sleepyheads(dice: Dice, components: readonly Component[], spec: Partial<EnvironmentSpec>) {
  if (spec.lifetime?.sleep === undefined) return components;
  const mayGo = spec.deletionPolicy !== "Retain";
  const drawn = components.map((component): Component => {
    const [destroys, scales] = [dice.chance(0.4), dice.chance(0.3)];
    if (destroys && mayGo) return { ...component, sleep: { destroy: true } };
    return scales ? { ...component, sleep: { variables: [{ name: "size", value: 1 }] } } : component;
  });
  return mayGo ? withUsersAsleep(drawn) : drawn;
}

/** The components are in the order of their dependencies. */
export function withUsersAsleep(components: readonly Component[]): readonly Component[] {
  const destroyed = new Set<string>();
  return components.map((component) => {
    const goes =
      component.sleep?.destroy === true || [...dependenciesOf(component)].some((name) => destroyed.has(name));
    if (!goes) return component;
    destroyed.add(component.name);
    return { ...component, sleep: { destroy: true } };
  });
}

export const goesByTheClock = (spec: Partial<EnvironmentSpec> | undefined): boolean =>
  spec?.windows !== undefined || spec?.lifetime !== undefined;

/** What people say about the clock of an Environment that goes by it. */
export function wordsAboutTime({ world, person }: Told, dice: Dice): readonly Happening[] {
  const { windows, lifetime } = person.find()?.spec ?? {};
  const inMinutes = (minutes: number) => new Date(world.clock.now().getTime() + minutes * MINUTE_MS);
  const aboutWindows: readonly Happening[] = [
    { weight: 3, value: () => person.overrideWindows(`the shop is down, ${dice.below(1000)}`) },
    { weight: 1, value: () => person.editSpec(({ windows: _over, ...spec }) => spec) },
    { weight: 1, value: () => person.editSpec((spec) => ({ ...spec, windows: [...(dice.pick(WINDOWS) ?? [])] })) },
  ];
  const aboutTheEnd: readonly Happening[] = [
    { weight: 2, value: () => person.extendUntil(inMinutes(10 + dice.below(120))) },
    {
      weight: 1,
      value: () => person.editSpec((spec) => ({ ...spec, lifetime: { ...spec.lifetime, ...USUAL, ...anyEnd(dice) } })),
    },
    { weight: 1, value: () => person.editSpec(withoutEnd) },
  ];
  return [
    ...(windows === undefined ? [] : aboutWindows),
    ...(lifetime?.ttl === undefined ? [] : aboutTheEnd),
    ...(lifetime?.sleep === undefined ? [] : [{ weight: 2, value: () => person.editSpec(awake) }]),
  ];
}

function withoutEnd({ lifetime, ...spec }: EnvironmentSpec): EnvironmentSpec {
  return lifetime?.sleep === undefined ? spec : { ...spec, lifetime: { ...USUAL, sleep: lifetime.sleep } };
}

function awake({ lifetime, ...spec }: EnvironmentSpec): EnvironmentSpec {
  const components = spec.components.map(({ sleep: _none, ...component }) => component);
  if (lifetime?.ttl === undefined) return { ...spec, components };
  const { sleep: _over, ...left } = lifetime;
  return { ...spec, components, lifetime: left };
}

/** So much time passes, whatever is under way; less where something never comes to rest. */
export async function minutesPass({ world }: Told, minutes: number, mostSteps = 600): Promise<void> {
  let leftMs = minutes * MINUTE_MS;
  for (let steps = 0; steps < mostSteps && leftMs > 0; steps += 1) {
    if (await world.step()) continue;
    const waitMs = Math.min(leftMs, world.clock.untilNext() ?? leftMs);
    world.clock.advance(waitMs);
    leftMs -= waitMs;
  }
}

/** Half of those that have an end live until it, and are quiet afterwards; then whoever wants it back takes the end away. */
export async function afterTheEnd(told: Told): Promise<void> {
  const { world, person } = told;
  const dice = diceFor(world.seed, "the end");
  if (person.find()?.spec.lifetime?.ttl === undefined || dice.chance(0.5)) return;
  const hasEnded = () => !person.exists() || (person.isOver() && isConverged(told));
  await until(told, "what has come to its end is gone", hasEnded);
  if (person.things().length > 0) world.violated(`lifetime: after the end there is ${person.things().join()}`);
  if (dice.chance(0.3)) await staysGone(told);
}

/** Nothing is made anew, by whatever hour. */
async function staysGone(told: Told): Promise<void> {
  const { world, person } = told;
  const runs = person.runs().length;
  for (let hour = 0; hour < 5; hour += 1) {
    world.operator().lookAgain();
    await minutesPass(told, 60);
  }
  if (person.runs().length > runs) world.violated("lifetime: something is begun after the end");
}

/** From now on nothing goes by the clock but windows: everything comes back, and stays as it is. */
export function stopTheClock({ person }: Told): void {
  if (person.find()?.spec.lifetime !== undefined) person.editSpec((spec) => awake(withoutEnd(spec)));
}
