import type { Component } from "../../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { type Dice, diceFor } from "../../fakes/world-dice.ts";
import { aStory } from "../../unit/environment/story.ts";

export type Story = ReturnType<typeof aStory>;

/** Where a story is played: decisions are carried out at once, in memory, and dice say what happens between them. */
export interface Scene {
  readonly seed: number;
  readonly dice: Dice;
  readonly story: Story;
  /** What somebody took out of the spec, and may put back. */
  readonly removed: Component[];
  /** What has happened so far, for whoever has to read it. */
  readonly lines: string[];
  /** Once, where it would be said again and again. */
  tell(line: string): void;
}

export function aScene(seed: number): Scene {
  const dice = diceFor(seed, "decisions");
  const lines: string[] = [];
  const environment = anEnvironment(anyComponents(dice), { spec: anyPolicy(dice) });
  const tell = (line: string): void => {
    if (line !== lines.at(-1)) lines.push(line);
  };
  return { seed, dice, story: aStory(environment), removed: [], lines, tell };
}

/** A chain, in which one may use an output of another, and sometimes one more that needs any of them. */
function anyComponents(dice: Dice): readonly Component[] {
  const second = dice.chance(0.4) ? withOutputOf(aModule("b"), "a") : aModule("b", ["a"]);
  const needsOfLast = dice.pick([["a"], ["c"], ["a", "c"], []]) ?? [];
  const last = dice.chance(0.4) ? [aModule("d", needsOfLast)] : [];
  return [aModule("a"), second, aModule("c", ["b"]), ...last];
}

function anyPolicy(dice: Dice): Partial<EnvironmentSpec> {
  const action = dice.chance(0.6) ? "Propose" : "Correct";
  const approval = dice.chance(0.3) ? { approval: { required: 1, planExpiresAfter: "24h" } } : {};
  return { drift: { interval: "1h", action }, retry: { limit: 2 }, ...approval };
}

const aModule = (name: string, needs: readonly string[] = []): Component =>
  resized(aComponent(name, { dependsOn: [...needs] }), 1);

/** All that is ever edited of what a component is. */
export const resized = (component: Component, size: number): Component =>
  withVariables(component, [
    { name: "size", value: size },
    ...variablesOf(component).filter(({ name }) => name !== "size"),
  ]);

const withOutputOf = (component: Component, needed: string): Component =>
  withVariables(component, [
    ...variablesOf(component),
    { name: "from", valueFrom: { output: { component: needed, name: "id" } } },
  ]);

/** As it is declared once a component that it needs has another name. */
export function renamedIn(component: Component, from: string, to: string): Component {
  const current = (name: string) => (name === from ? to : name);
  const dependsOn = component.dependsOn?.map(current);
  const others = variablesOf(component).filter(({ name }) => name !== "from");
  const renamed = { ...withVariables(component, others), ...(dependsOn === undefined ? {} : { dependsOn }) };
  const needed = outputUsedBy(component);
  return needed === undefined ? renamed : withOutputOf(renamed, current(needed));
}

/** The component whose output it uses, which it cannot do without. */
export const outputUsedBy = (component: Component): string | undefined =>
  variablesOf(component).find(({ name }) => name === "from")?.valueFrom?.output?.component;

type Variables = NonNullable<Component["terraform"]["variables"]>;

const variablesOf = ({ terraform }: Component): Variables => terraform.variables ?? [];

const withVariables = (component: Component, variables: Variables): Component => ({
  ...component,
  terraform: { ...component.terraform, variables },
});
