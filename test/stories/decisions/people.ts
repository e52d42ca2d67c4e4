import type { Component } from "../../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { dependenciesOf } from "../../../operator/environment/graph.ts";
import { declared, isAtWork, openChanges } from "./facts.ts";
import { outputUsedBy, renamedIn, resized, type Scene } from "./scene.ts";

/** What people do, each with its line. What the API server would refuse, nobody does. */
export const DEEDS: readonly ((scene: Scene) => void)[] = [
  editsOne,
  editsTwo,
  setsDrift,
  setsApproval,
  suspends,
  setsWindows,
  overridesWindows,
  asksForRun,
  editsNeeds,
  removes,
  putsBack,
  renames,
  losesRecord,
  pushesState,
];

/** A window that is never open while a story lasts. */
const NEVER = { name: "never", type: "Allow", schedule: "0 0 29 2 *", duration: "1m", timeZone: "UTC" } as const;

function editsOne(scene: Scene): void {
  resizes(scene, [anyComponent(scene).name], anySize(scene));
}

function editsTwo(scene: Scene): void {
  resizes(scene, [anyComponent(scene).name, anyComponent(scene).name], anySize(scene));
}

/** One of a few: what is declared may well be what was applied before. */
const anySize = ({ dice }: Scene): number => 1 + dice.below(5);

export function resizes(scene: Scene, names: readonly string[], size: number): void {
  scene.tell(`${names.join(" and ")}: size ${size}`);
  editComponents(scene, (component) => (names.includes(component.name) ? resized(component, size) : component));
}

function setsDrift(scene: Scene): void {
  const interval = "1h";
  const ignore = [{ address: "thing.b" }];
  const drift = scene.dice.pick<EnvironmentSpec["drift"]>([
    { interval, action: "Propose" },
    { interval, action: "Correct" },
    { interval, action: "Propose", ignore },
    { interval },
    undefined,
  ]);
  scene.tell(`drift: ${JSON.stringify(drift)}`);
  editSpec(scene, { drift });
}

function setsApproval(scene: Scene): void {
  const required = scene.dice.below(3);
  scene.tell(`approval by ${required}`);
  editSpec(scene, { approval: required === 0 ? undefined : { required, planExpiresAfter: "24h" } });
}

function suspends(scene: Scene): void {
  const suspend = scene.dice.chance(0.4);
  scene.tell(`suspend: ${suspend}`);
  editSpec(scene, { suspend });
}

function setsWindows(scene: Scene): void {
  const isClosed = scene.dice.chance(0.4);
  scene.tell(isClosed ? "no window is open" : "no windows");
  editSpec(scene, { windows: isClosed ? [NEVER] : [] });
}

function overridesWindows(scene: Scene): void {
  scene.tell("no window is open, and somebody does not wait for one");
  editSpec(scene, { windows: [NEVER] });
  scene.story.annotate({ [ANNOTATIONS.windowOverride]: "urgent" });
}

function asksForRun({ dice, story, tell }: Scene): void {
  const requestedAt = `request-${dice.below(3)}`;
  tell(`asks for a Run: ${requestedAt}`);
  story.annotate({ [ANNOTATIONS.requestedAt]: requestedAt });
}

/** Only what comes before may be needed, so that nothing goes round. */
function editsNeeds(scene: Scene): void {
  const { dice, story, tell } = scene;
  const { name } = anyComponent(scene);
  const names = story.environment().spec.components.map((component) => component.name);
  const dependsOn = names.slice(0, names.indexOf(name)).filter(() => dice.chance(0.5));
  tell(`${name} depends on ${dependsOn.join(" and ") || "nothing"}`);
  editComponents(scene, (component) => (component.name === name ? { ...component, dependsOn } : component));
}

/** Whoever needs it is edited along; nobody can do so who uses its output. */
function removes(scene: Scene): void {
  const { story, tell, removed } = scene;
  const { components } = story.environment().spec;
  const gone = anyComponent(scene);
  const isUsed = components.some((component) => outputUsedBy(component) === gone.name);
  if (isUsed || components.length < 2) return;
  tell(`${gone.name} is removed`);
  const left = components.filter(({ name }) => name !== gone.name);
  editSpec(scene, { components: left.map((component) => withoutNeed(component, gone.name)) });
  story.annotate({ [ANNOTATIONS.confirmDestroy]: gone.name });
  removed.push(gone);
}

const withoutNeed = (component: Component, needed: string): Component => ({
  ...component,
  dependsOn: (component.dependsOn ?? []).filter((name) => name !== needed),
});

function putsBack(scene: Scene): void {
  const { story, tell, removed } = scene;
  const back = removed.pop();
  if (back === undefined || declared(scene, back.name) !== undefined) return;
  if ([...dependenciesOf(back)].some((name) => declared(scene, name) === undefined)) return;
  tell(`${back.name} is put back`);
  const { formerName: _past, ...component } = back;
  editSpec(scene, { components: [...story.environment().spec.components, component] });
}

function renames(scene: Scene): void {
  const { dice, story, tell } = scene;
  const { name: from } = anyComponent(scene);
  const to = `${from[0]}${1 + dice.below(3)}`;
  if (declared(scene, to) !== undefined || story.records.has(to)) return;
  tell(`${from} is called ${to}`);
  editComponents(scene, (component) => {
    const renamed = component.name === from ? { ...component, name: to, formerName: from } : component;
    return renamedIn(renamed, from, to);
  });
}

/** Longer ago than a cache may be late. */
function losesRecord(scene: Scene): void {
  const { dice, story, tell } = scene;
  const name = anyRecordAtRest(scene);
  if (name === undefined || dice.chance(0.7)) return;
  tell(`the record of ${name} is lost`);
  story.pass(40_000);
  story.records.delete(name);
}

/** Another state, or the same with a correction. */
function pushesState(scene: Scene): void {
  const { dice, story, tell } = scene;
  const name = anyRecordAtRest(scene);
  if (name === undefined || dice.chance(0.5)) return;
  const serial = (story.records.get(name)?.state?.serial ?? 0) + 1;
  const replaced = dice.chance(0.6) ? { replaced: true as const } : {};
  const numbers = story.runs().map(({ spec }) => (spec.component === name ? spec.number : 0));
  const [by, at, newestRun] = ["jane", new Date(story.now()).toISOString(), Math.max(0, ...numbers)];
  tell(`${by} pushes ${"replaced" in replaced ? "another" : "the same"} state of ${name}`);
  story.handOver(name, serial, { by });
  const record = story.records.get(name);
  const written = { how: "Push", by, at, serial, newestRun, ...replaced } as const;
  if (record !== undefined) story.records.set(name, { ...record, mayHoldObjects: true, written });
}

/** While an engine writes, the state is locked, and its record written again and again. */
function anyRecordAtRest(scene: Scene): string | undefined {
  const busy = openChanges(scene)
    .filter(isAtWork)
    .map(({ spec }) => spec.component);
  return scene.dice.pick([...scene.story.records.keys()].filter((name) => !busy.includes(name)));
}

function anyComponent({ dice, story }: Scene): Component {
  const { components } = story.environment().spec;
  const picked = dice.pick(components);
  if (picked === undefined) throw new Error("nothing is declared any more");
  return picked;
}

const editComponents = (scene: Scene, change: (component: Component) => Component): void =>
  editSpec(scene, { components: scene.story.environment().spec.components.map(change) });

export const editSpec = ({ story }: Scene, more: Partial<EnvironmentSpec>): void =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...more } }));
