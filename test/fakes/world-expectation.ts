import type { Component } from "../../operator/api/component.ts";
import type { Environment, EnvironmentSpec } from "../../operator/api/environment.ts";
import { type ModuleWish, wishOf } from "./world-module.ts";

/** What a declared component amounts to in the cloud, worked out from the spec alone; undefined where it cannot work. */
export function expectedOf(spec: EnvironmentSpec, name: string): ModuleWish | undefined {
  const component = spec.components.find((candidate) => candidate.name === name);
  if (component === undefined) return undefined;
  const variables: Record<string, unknown> = {};
  for (const { name: variable, value, valueFrom } of [...(spec.variables ?? []), ...variablesIn(component)]) {
    if (valueFrom?.output === undefined) variables[variable] = value;
    else {
      const source = expectedOf(spec, valueFrom.output.component);
      if (source === undefined) return undefined;
      variables[variable] = source.output;
    }
  }
  const wish = wishOf(variables);
  // A module whose apply fails is applied all the same where there was nothing left to do.
  return wish.mode === "good" || wish.mode === "apply-fails" ? wish : undefined;
}

const variablesIn = (component: Component) => component.terraform.variables ?? [];

/** The specs that an Environment has had, by UID and generation. */
export interface SpecHistory {
  note(environment: Environment): void;
  at(uid: string, generation: number): EnvironmentSpec | undefined;
}

export function specHistory(): SpecHistory {
  const specs = new Map<string, EnvironmentSpec>();
  return {
    note({ metadata, spec }) {
      specs.set(`${metadata.uid}/${metadata.generation ?? 1}`, spec);
    },
    at: (uid, generation) => specs.get(`${uid}/${generation}`),
  };
}
