/** Stories of components that are looked at for drift. */
import assert from "node:assert/strict";
import type { Component } from "../../../operator/api/component.ts";
import type { Drift } from "../../../operator/api/drift.ts";
import type { Environment } from "../../../operator/api/environment.ts";
import type { EnvironmentStatus } from "../../../operator/api/environment-status.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const hourly: Drift = { interval: "1h" };

export type Story = ReturnType<typeof aStory>;

/** Components in a row, applied, each looked at every hour. */
export function watching(drift: Drift = hourly, names: readonly string[] = ["network", "app"]): Story {
  const components = names.map((name, index) =>
    aComponent(name, index === 0 ? {} : { needs: [names[index - 1] ?? ""] }),
  );
  const story = aStory(anEnvironment(components, { spec: { drift } }));
  story.settle();
  story.started.length = 0;
  return story;
}

export const statusOf = (story: Story): EnvironmentStatus => {
  const status = statusFor(story.environment(), story.decision(), { lines: [] }, new Date(story.now()));
  assert.ok(status !== undefined);
  return status;
};
export const conditionOf = (story: Story, type: string) => statusOf(story).conditions?.find((one) => one.type === type);
export const lineOf = (story: Story, name: string) => statusOf(story).components?.find((line) => line.name === name);

/** An hour and the tenth by which it may be later. */
export const whenDue = (story: Story) => {
  story.pass(1.1 * HOUR);
  story.round();
};

export type Action = NonNullable<Drift["action"]>;

/** Other rules about drift from now on. */
export function declare(story: Story, drift: Drift): void {
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, drift } }));
}

/** Its component has drifted, which a Check has found that ignored nothing. */
export function drifted(action: Action, names: readonly string[] = ["network"]): Story {
  const story = watching({ interval: "1h", action }, names);
  whenDue(story);
  story.endCheck("network", "Drifted");
  for (const { spec } of story.openChecks()) story.endCheck(spec.component, "Unchanged");
  story.started.length = 0;
  return story;
}

/** Another value for this component, and whatever else is declared at once. */
export const edit = (story: Story, name: string, more: Partial<Environment["spec"]> = {}) =>
  story.edit((environment) => {
    const components = environment.spec.components.map((one) => (one.name === name ? changed(one) : one));
    return { ...environment, spec: { ...environment.spec, ...more, components } };
  });

export const changed = (component: Component): Component => ({
  ...component,
  terraform: { ...component.terraform, variables: [{ name: "size", value: 2 }] },
});

/** What network has drifted by is proposed to be brought back, and that plan waits for a person. */
export const proposed = (more: Partial<Environment["spec"]> = {}): Story => {
  const story = watching({ interval: "1h", action: "Propose" });
  edit(story, "none", more);
  whenDue(story);
  story.endCheck("network", "Drifted");
  story.endCheck("app", "Unchanged");
  story.round();
  story.hold("network");
  return story;
};
