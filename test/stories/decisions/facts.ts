import type { Component } from "../../../operator/api/component.ts";
import type { Run, RunInputs } from "../../../operator/api/run.ts";
import { dependenciesOf } from "../../../operator/environment/graph.ts";
import type { Scene } from "./scene.ts";

/** What is so, read from the spec, the Runs and the records alone, without a word of whoever decides. */

export const declared = ({ story }: Scene, name: string): Component | undefined =>
  story.environment().spec.components.find((component) => component.name === name);

export function neededBy(scene: Scene, name: string): readonly string[] {
  const component = declared(scene, name);
  return component === undefined ? [] : [...dependenciesOf(component)];
}

/** Also indirectly. */
export function allNeededBy(scene: Scene, name: string): ReadonlySet<string> {
  const all = new Set(neededBy(scene, name));
  for (const needed of all) for (const further of neededBy(scene, needed)) all.add(further);
  return all;
}

/** Runs that are to change something, and have not ended. */
export const openChanges = ({ story }: Scene): readonly Run[] =>
  story.openRuns().filter(({ spec }) => spec.operation !== "Check");

export const isAtWork = ({ status }: Run): boolean => status?.phase === "Applying";

export const nameOf = ({ spec }: Run): string =>
  `${spec.operation} ${spec.component} #${spec.number} (${spec.cause.type})`;

/** Why others may not build on a component now; a correction that has not begun to apply is no reason. */
export function whyUnsettled(scene: Scene, name: string): string | undefined {
  const record = scene.story.records.get(name);
  const open = openChanges(scene).find(({ spec }) => spec.component === name);
  if (record === undefined) return `the record of ${name} is lost`;
  if (record.written?.replaced === true) return `somebody has replaced the state of ${name}`;
  if (open !== undefined && (isAtWork(open) || open.spec.cause.type !== "DriftFound"))
    return `${nameOf(open)} is under way`;
  if (record.applied === undefined) return `${name} is not applied`;
  if (record.attempted !== undefined) return `the last apply of ${name} has not ended well`;
  const other = whyNotDeclared(scene, name, record.applied.inputs);
  return other === undefined ? undefined : `${name} is applied with ${other}`;
}

/** How these inputs of a component differ from its declaration; nothing where it is not declared. */
export function whyNotDeclared(scene: Scene, name: string, { variables }: RunInputs): string | undefined {
  const component = declared(scene, name);
  if (component === undefined) return undefined;
  const [given, wanted] = [sizeIn(variables), sizeIn(component.terraform.variables)];
  return given === wanted ? undefined : `size ${given} and declared with ${wanted}`;
}

const sizeIn = (variables: RunInputs["variables"] | undefined): unknown =>
  variables?.find(({ name }) => name === "size")?.value;

/** Who was applied with it, has something, and does not do without it by now. */
export function usersOf(scene: Scene, name: string): readonly string[] {
  const users = [...scene.story.records.values()].filter(
    ({ key: { component }, mayHoldObjects, attempted, applied }) => {
      const used = (attempted ?? applied)?.inputs.dependsOn ?? [];
      const isStillNeeded = declared(scene, component) === undefined || neededBy(scene, component).includes(name);
      return component !== name && mayHoldObjects && used.includes(name) && isStillNeeded;
    },
  );
  return users.map(({ key }) => key.component);
}
