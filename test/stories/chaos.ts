import type { Component } from "../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../operator/api/environment.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import { PODS } from "../../operator/cluster/resources.ts";
import { CALM } from "../fakes/world.ts";
import { removeByHand } from "../fakes/world-kubelet.ts";
import { aModule } from "../fakes/world-people.ts";
import { isConverged, staysQuiet, type Told, until } from "./telling.ts";

type Happening = { readonly weight: number; readonly value: () => void };

/** Any graph without cycles, with one to five components. */
function anyModules({ world: { dice } }: Told): readonly Component[] {
  const names = ["a", "b", "c", "d", "e"].slice(0, 1 + dice.below(5));
  return names.map((name, index) => {
    const needs = names.slice(0, index).filter(() => dice.chance(0.5));
    return aModule(name, needs, { size: 1 + dice.below(3) });
  });
}

/** Half of the stories are told to people who only edit, and half in bad weather. */
export async function chaos(told: Told, given: Partial<EnvironmentSpec> = {}): Promise<void> {
  const { world, person } = told;
  const { dice } = world;
  const policy = { ...given, ...(dice.chance(0.2) ? { deletionPolicy: "Retain" as const } : {}) };
  person.create(anyModules(told), policy);
  const rough = dice.chance(0.8);
  if (rough) world.setWeather({ refused: 0.02, lost: 0.03, killed: 0.004 });
  const happenings = 3 + dice.below(12);
  for (let count = 0; count < happenings; count += 1) {
    const steps = dice.below(dice.chance(0.3) ? 400 : 90);
    for (let step = 0; step < steps; step += 1) {
      if (await world.step()) continue;
      if (dice.chance(0.4) && person.help()) continue;
      const wait = world.clock.untilNext();
      if (wait === undefined || wait > 3_600_000) break;
      world.clock.advance(wait);
    }
    dice.weighted([...edits(told), ...(rough ? faults(told) : [])])?.();
  }
  world.tell("from now on nothing goes wrong any more");
  calmDown(told);
  // Whatever somebody did by hand is brought back by whoever asks.
  if (given.drift !== undefined) person.request();
  if (!person.exists() && dice.chance(0.5)) person.create(anyModules(told), policy);
  await until(told, "everything that is declared exists, and the status says so", () => isConverged(told));
  if (dice.chance(0.6)) {
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
  await staysQuiet(told);
  tooManyRuns(told);
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

function edits(told: Told): readonly Happening[] {
  const { world, person } = told;
  const { dice } = world;
  const environment = person.find();
  if (environment === undefined) return [{ weight: 10, value: () => person.create(anyModules(told)) }];
  const { components, suspend, drift } = environment.spec;
  const one = dice.pick(components)?.name ?? "a";
  const needed = (name: string) =>
    components.some(({ terraform }) =>
      terraform.variables?.some(({ valueFrom }) => valueFrom?.output?.component === name),
    );
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
      : [{ weight: 2, value: () => void person.tamper(one, dice.chance(0.5) ? "edit" : "delete") }]),
    { weight: 2, value: () => person.cancel(dice.pick(person.runs())) },
    { weight: 2, value: () => person.suspend(!suspend) },
    { weight: 2, value: () => (components.length > 1 && !needed(one) ? person.remove(one) : undefined) },
    { weight: 1, value: () => addModule(told) },
    { weight: 1.5, value: () => person.delete() },
  ];
}

function addModule({ world, person }: Told): void {
  const { dice } = world;
  person.editSpec((spec) => {
    const free = ["a", "b", "c", "d", "e", "f"].filter((name) => !spec.components.some((one) => one.name === name));
    const name = dice.pick(free);
    if (name === undefined) return spec;
    world.tell(`person: adds ${name}`);
    const needs = spec.components.map((one) => one.name).filter(() => dice.chance(0.4));
    return { ...spec, components: [...spec.components, aModule(name, needs, { size: 1 + dice.below(3) })] };
  });
}

function faults({ world }: Told): readonly Happening[] {
  const { dice, kubelet, api } = world;
  const running = dice.pick(kubelet.running());
  const pods = api.all<Pod>(PODS.plural);
  // Half of the time one that works, since most have ended.
  const atWork = pods.filter(({ metadata }) => kubelet.running().includes(metadata.uid));
  const pod = dice.pick(dice.chance(0.7) && atWork.length > 0 ? atWork : pods);
  const node = pod?.spec?.nodeName ?? dice.pick(["node-1", "node-2", "node-3"]) ?? "";
  const writer = dice.pick(world.cloud.writers())?.pod;
  return [
    { weight: 3, value: () => world.restartOperator() },
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
