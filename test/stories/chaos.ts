import type { Component } from "../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../operator/api/environment.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import { PODS } from "../../operator/cluster/resources.ts";
import { dependenciesOf } from "../../operator/environment/graph.ts";
import { type Dice, diceFor } from "../fakes/world-dice.ts";
import { removeByHand } from "../fakes/world-kubelet.ts";
import { aModule } from "../fakes/world-people.ts";
import { CALM } from "../fakes/world-weather.ts";
import {
  afterTheEnd,
  anyClockwork,
  goesByTheClock,
  minutesPass,
  sleepyheads,
  stopTheClock,
  withUsersAsleep,
  wordsAboutTime,
} from "./clockwork.ts";
import { isConverged, staysQuiet, type Told, until } from "./telling.ts";

export type Happening = { readonly weight: number; readonly value: () => void };

/** Any graph without cycles, with one to five components; those that a telling leaves out are needed by none. */
function anyModules({ world }: Told, dice: Dice): readonly Component[] {
  const names = ["a", "b", "c", "d", "e"].slice(0, 1 + dice.below(5));
  const ruling = diceFor(world.seed, "rules of components");
  const drawn = names.map((name, index) => ({
    name,
    needs: names.slice(0, index).filter(() => dice.chance(0.3)),
    after: names.slice(0, index).filter(() => dice.chance(0.3)),
    size: 1 + dice.below(3),
    rules: ownRules(ruling),
  }));
  const there = drawn.filter(({ name }) => name === "a" || world.incidents.happens(`component-${name}`));
  const isThere = (needed: string) => there.some(({ name }) => name === needed);
  return there.map(({ name, needs, after, size, rules }) => ({
    ...aModule(name, needs.filter(isThere), { size }, after.filter(isThere)),
    ...rules,
  }));
}

/** One component in five has rules for approval of its own, which may be stricter than the Environment's, or weaker. */
function ownRules(dice: Dice): Pick<Component, "approval"> {
  const [rules, destroy] = [dice.chance(0.2), dice.chance(0.5)];
  const [required, toDestroy] = [dice.below(3), dice.below(3)];
  const approval = { required, planExpiresAfter: "24h", ...(destroy ? { destroy: { required: toDestroy } } : {}) };
  return rules ? { approval } : {};
}

/** Half of the stories ask people: one or two of them, some of whom take their time. */
function anyApproval(dice: Dice) {
  const [asks, required, planExpiresAfter] = [dice.chance(0.5), 1 + dice.below(2), dice.pick(["24h", "1h"]) ?? "24h"];
  return asks ? { approval: { required, planExpiresAfter } } : {};
}

/**
 * One life of an Environment: people do something, things go wrong, and in the end all is calm, and must be as it was asked for. Each
 * incident draws from dice of its own, so that one can be left out and the others stay.
 */
export async function chaos(told: Told, given: Partial<EnvironmentSpec> = {}): Promise<void> {
  const { world, person } = told;
  const { seed, incidents } = world;
  const plot = diceFor(seed, "plot");
  const policy = {
    ...given,
    ...(plot.chance(0.2) ? { deletionPolicy: "Retain" as const } : {}),
    ...anyApproval(plot),
    // Who looks for drift has stories without a clock.
    ...(given.drift === undefined ? anyClockwork(told) : {}),
  };
  const modules = (purpose: string) => {
    const dice = diceFor(seed, purpose);
    return sleepyheads(diceFor(seed, `${purpose}, asleep`), anyModules(told, dice), policy);
  };
  const needsTime = goesByTheClock(policy) || given.drift !== undefined;
  const rough = plot.chance(0.8);
  const count = 3 + plot.below(12);
  const [comesBack, isDeleted] = [plot.chance(0.5), plot.chance(0.6)];
  person.create(modules("modules"), policy);
  if (rough) world.setWeather({ refused: 0.02, lost: 0.03, killed: 0.004 });
  for (let number = 1; number <= count; number += 1) {
    const dice = diceFor(seed, `incident ${number}`);
    await someTime(told, dice);
    if (needsTime && dice.chance(0.6)) await minutesPass(told, 5 + dice.below(60));
    const happening = dice.weighted([...edits(told, dice), ...(rough ? faults(told, dice) : [])]);
    if (incidents.happens(`incident-${number}`)) happening?.();
  }
  world.tell("from now on nothing goes wrong any more");
  calmDown(told);
  // Whatever somebody did by hand is brought back by whoever asks.
  if (given.drift !== undefined) person.request();
  await afterTheEnd(told);
  if (!person.exists() && comesBack) person.create(modules("modules again"), policy);
  await until(told, "everything that is declared exists, and the status says so", () => isConverged(told));
  if (isDeleted) {
    person.delete();
    await until(told, "the Environment is gone", () => !person.exists());
    await until(
      told,
      "Runs and pods of what is gone are gone",
      () => person.runs().length + person.pods().length === 0,
    );
  }
  // Who looks for drift goes on looking.
  if (given.drift !== undefined) person.editSpec(({ drift: _over, ...spec }) => spec);
  if (goesByTheClock(policy)) {
    stopTheClock(told);
    await until(told, "everything is back, and the status says so", () => isConverged(told));
  }
  await staysQuiet(told);
  tooManyRuns(told);
}

async function someTime({ world, person }: Told, dice: Dice): Promise<void> {
  const steps = dice.below(dice.chance(0.3) ? 400 : 90);
  for (let step = 0; step < steps; step += 1) {
    if (await world.step()) continue;
    if (dice.chance(0.4) && person.help()) continue;
    const wait = world.clock.untilNext();
    if (wait === undefined || wait > 3_600_000) return;
    world.clock.advance(wait);
  }
}

function calmDown({ world }: Told): void {
  world.setWeather(CALM);
  world.setGatewayAway(false);
  world.setRefusePods(false);
  // A machine that never comes back is taken out of the cluster by whoever runs it.
  for (const node of world.kubelet.silent()) {
    if (world.dice.chance(0.5)) world.kubelet.speak(node);
    else world.kubelet.remove(node);
  }
}

function edits(told: Told, dice: Dice): readonly Happening[] {
  const { person } = told;
  const environment = person.find();
  if (environment === undefined) return [{ weight: 10, value: () => person.create(anyModules(told, dice)) }];
  const { components, suspend, drift } = environment.spec;
  const one = dice.pick(components)?.name ?? "a";
  const needed = (name: string) => components.some((component) => dependenciesOf(component).has(name));
  return [
    { weight: 6, value: () => person.set(one, "value", `v${dice.below(4)}`) },
    { weight: 3, value: () => person.set(one, "size", 1 + dice.below(3)) },
    {
      weight: 2,
      value: () => person.set(one, "mode", dice.pick(["plan-fails", "apply-fails", "input-missing"]) ?? "good"),
    },
    { weight: 2, value: () => person.set(one, "mode", "good") },
    { weight: 2, value: () => person.request() },
    ...(drift === undefined
      ? []
      : [{ weight: 6, value: () => void person.tamper(one, dice.chance(0.5) ? "edit" : "delete") }]),
    { weight: 3, value: () => person.pushState(one) },
    { weight: 2, value: () => person.cancel(dice.pick(person.runs())) },
    { weight: 2, value: () => person.suspend(!suspend) },
    { weight: 2, value: () => (components.length > 1 && !needed(one) ? person.remove(one) : undefined) },
    { weight: 1, value: () => addModule(told, dice) },
    { weight: 1.5, value: () => person.delete() },
    ...words(told, dice),
    ...wordsAboutTime(told, dice),
  ];
}

/** What people say about plans that wait, and about what does not wait. */
function words({ person }: Told, dice: Dice): readonly Happening[] {
  const waiting = dice.pick(person.waiting());
  const any = dice.pick(person.runs());
  const who = dice.pick(["ann", "bob"]) ?? "ann";
  const say = (decision: "Approve" | "Reject", run = waiting, about = {}) =>
    run === undefined ? undefined : person.say(decision, who, run, about);
  const rule = () =>
    person.editSpec((spec) => ({ ...spec, approval: { required: dice.below(3), planExpiresAfter: "24h" } }));
  return [
    { weight: 6, value: () => say("Approve") },
    { weight: 1, value: () => say("Reject") },
    { weight: 1, value: () => say("Approve", any) },
    { weight: 1, value: () => say("Approve", waiting ?? any, { planDigest: "sha256:another" }) },
    { weight: 1, value: () => say("Approve", waiting ?? any, { environment: "another" }) },
    {
      weight: 1,
      value: () =>
        say("Approve", waiting ?? any, { run: { name: (waiting ?? any)?.metadata.name ?? "", uid: "another" } }),
    },
    { weight: 1, value: rule },
  ];
}

function addModule({ world, person }: Told, dice: Dice): void {
  person.editSpec((spec) => {
    const free = ["a", "b", "c", "d", "e", "f"].filter((name) => !spec.components.some((one) => one.name === name));
    const name = dice.pick(free);
    if (name === undefined) return spec;
    world.tell(`person: adds ${name}`);
    const [needs, after] = [0.3, 0.2].map((share) =>
      spec.components.map((one) => one.name).filter(() => dice.chance(share)),
    );
    const added = aModule(name, needs, { size: 1 + dice.below(3) }, after);
    return { ...spec, components: [...withUsersAsleep([...spec.components, added])] };
  });
}

function faults({ world }: Told, dice: Dice): readonly Happening[] {
  const { kubelet, api } = world;
  const cache = dice.pick(world.operator().caches);
  const running = dice.pick(kubelet.running());
  const pods = api.all<Pod>(PODS.plural);
  // Half of the time one that works, since most have ended.
  const atWork = pods.filter(({ metadata }) => kubelet.running().includes(metadata.uid));
  const pod = dice.pick(dice.chance(0.7) && atWork.length > 0 ? atWork : pods);
  const node = pod?.spec?.nodeName ?? dice.pick(["node-1", "node-2", "node-3"]) ?? "";
  const writer = dice.pick(world.cloud.writers())?.pod;
  return [
    { weight: 3, value: () => world.restartOperator() },
    { weight: 2, value: () => world.freezeOperator() },
    { weight: 2, value: () => world.restartGateway() },
    { weight: 3, value: () => cache?.drop() },
    { weight: 2, value: () => cache?.goBack(1 + dice.below(8)) },
    { weight: 3, value: () => (running === undefined ? undefined : kubelet.kill(running, "OOMKilled")) },
    { weight: 5, value: () => (writer === undefined ? undefined : kubelet.kill(writer, "Error")) },
    {
      weight: 3,
      value: () =>
        pod === undefined ? undefined : void api.delete(PODS, pod.metadata.namespace, pod.metadata.name, undefined),
    },
    { weight: 2, value: () => (pod === undefined ? undefined : removeByHand(api, pod)) },
    { weight: 1, value: () => kubelet.silence(node) },
    { weight: 1, value: () => kubelet.speak(node) },
    { weight: 1, value: () => (kubelet.silent().includes(node) ? kubelet.remove(node) : undefined) },
    { weight: 2, value: () => world.setGatewayAway(dice.chance(0.5)) },
    { weight: 1, value: () => world.setRefusePods(dice.chance(0.4)) },
  ];
}

/** Ten that went well, twenty others, and those that are under way. */
const KEPT = 32;

function tooManyRuns({ world, person }: Told): void {
  const counts = new Map<string, number>();
  for (const { spec } of person.runs().filter((run) => run.spec.operation !== "Check"))
    counts.set(spec.component, (counts.get(spec.component) ?? 0) + 1);
  for (const [component, count] of counts)
    if (count > KEPT) world.violated(`I8: ${count} Runs of ${component} are kept`);
  const looks = person.runs().filter(({ spec }) => spec.operation === "Check");
  if (looks.length > 2 * counts.size)
    world.violated(`I8: ${looks.length} Checks of ${counts.size} components are kept`);
}
