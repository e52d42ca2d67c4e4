/** Manifests as journeys write them: what matters to the journey, and sensible defaults for the rest. */
import type { Component, Variable } from "../../../operator/api/component.ts";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import type { Source } from "../../../operator/api/source.ts";

export type Engine = "opentofu" | "terraform";

const versions: Readonly<Record<Engine, string>> = { opentofu: "1.12", terraform: "1.5" };

/** Engines that the journeys of this process run with. */
export const engines: readonly Engine[] = chosen(process.env.TERRARIUM_TEST_ENGINE);

type Loose<T> = { readonly [Key in keyof T]?: unknown };

export interface EnvironmentFacts extends Omit<Loose<EnvironmentSpec>, "components" | "engine"> {
  readonly name: string;
  readonly engine?: Engine;
  readonly components: readonly ComponentFacts[];
}

export interface ComponentFacts extends Omit<Loose<Component>, "terraform"> {
  readonly name: string;
  /** Text of main.tf, for a component with a source of its own. */
  readonly module?: string;
  readonly source?: unknown;
  readonly path?: string;
  readonly variables?: readonly VariableFacts[];
  readonly state?: { readonly backend: "Managed" };
}

export type VariableFacts = { readonly name: string } & Pick<Loose<Variable>, "value" | "valueFrom">;

export function anEnvironment({ name, engine = "opentofu", components, ...spec }: EnvironmentFacts): object {
  return {
    apiVersion: "terrarium.dev/v1alpha1",
    kind: "Environment",
    metadata: { name },
    spec: { engine: { name: engine, version: versions[engine] }, ...spec, components: components.map(component) },
  };
}

function component({ name, module, source, path, variables, state, ...rest }: ComponentFacts): object {
  const own = module === undefined ? source : inline(module);
  const terraform = { source: own, path, variables, state };
  return { name, ...rest, terraform: JSON.parse(JSON.stringify(terraform)) };
}

/** A source that is one file. */
export function inline(module: string): Source {
  return { inline: { "main.tf": module } };
}

export function fromSecret(name: string, secret: string, key: string): VariableFacts {
  return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}

export function fromConfigMap(name: string, configMap: string, key: string): VariableFacts {
  return { name, valueFrom: { configMapKeyRef: { name: configMap, key } } };
}

export function fromOutput(name: string, of: string, output: string): VariableFacts {
  return { name, valueFrom: { output: { component: of, name: output } } };
}

function chosen(text: string | undefined): readonly Engine[] {
  if (text === undefined || text === "") return ["opentofu", "terraform"];
  if (text === "opentofu" || text === "terraform") return [text];
  throw new Error(`TERRARIUM_TEST_ENGINE=${text}: it is opentofu or terraform, or empty for both`);
}
