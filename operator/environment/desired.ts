import type { Component, Credential, Timeouts, Variable } from "../api/component.ts";
import type { Environment, EnvironmentSpec } from "../api/environment.ts";
import { ownRulesOf } from "../api/own-rules.ts";
import type { RunInputs } from "../api/run.ts";
import { type Source, source as sourceSchema } from "../api/source.ts";
import { dependenciesOf } from "./graph.ts";

/** A runner image of the operator's catalogue. */
export interface CatalogueEngine {
  readonly name: "opentofu" | "terraform";
  readonly version: string;
  /** Image of the runner, by digest where the installation gives one. */
  readonly image: string;
  readonly default?: boolean | undefined;
}

export type EngineChoice =
  | { readonly found: true; readonly engine: CatalogueEngine }
  | { readonly found: false; readonly message: string };

/** The catalogue's entry for what the spec asks: exactly that version, or the default (else the first) of that name. */
export function chooseEngine(spec: EnvironmentSpec["engine"], catalogue: readonly CatalogueEngine[]): EngineChoice {
  const ofName = catalogue.filter((engine) => engine.name === spec.name);
  const engine =
    spec.version === undefined
      ? (ofName.find((candidate) => candidate.default) ?? ofName[0])
      : ofName.find((candidate) => candidate.version === spec.version);
  if (engine !== undefined) return { found: true, engine };
  const offered = catalogue.map((candidate) => `${candidate.name} ${candidate.version}`).join(", ");
  const asked = [spec.name, spec.version].filter(Boolean).join(" ");
  return {
    found: false,
    message: `spec.engine: the operator's catalogue has no ${asked}; it has ${offered === "" ? "no engine at all" : offered}`,
  };
}

const DEFAULT_TIMEOUTS: Timeouts = { plan: "15m", apply: "60m" };

/** Joins what Environment and component say: the component's word counts where both have one of the same name. */
function merged<T extends { readonly name: string }>(general: readonly T[] = [], special: readonly T[] = []): T[] {
  return [...new Map([...general, ...special].map((item) => [item.name, item])).values()];
}

export function sourceOf(spec: EnvironmentSpec, component: Component): Source {
  // Admission makes sure that there is one; an object that slipped past it is refused by the schema's own sentence.
  return component.terraform.source ?? spec.source ?? sourceSchema.parse({});
}

/** Phase by phase: a component that says how long its apply may take leaves the plan to the Environment. */
function timeoutsOf({ timeouts: general = DEFAULT_TIMEOUTS }: EnvironmentSpec, { timeouts: own }: Component): Timeouts {
  return { plan: own?.plan ?? general.plan, apply: own?.apply ?? general.apply };
}

export function runnerOf(spec: EnvironmentSpec, component: Component): RunInputs["runner"] {
  return { ...spec.runner, ...component.runner };
}

/** The component as it is declared now, complete: nothing else of the spec matters to its Run. */
export function inputsOf(environment: Environment, component: Component, revision: string | undefined): RunInputs {
  const { spec } = environment;
  const { terraform } = component;
  const own = (terraform.variables ?? []).map(({ name }) => name).sort();
  return {
    source: sourceOf(spec, component),
    path: terraform.path,
    ...(revision === undefined ? {} : { revision }),
    variables: merged<Variable>(spec.variables, terraform.variables),
    ...(own.length === 0 ? {} : { ownVariables: own }),
    credentials: merged<Credential>(spec.credentials, component.credentials),
    runner: runnerOf(spec, component),
    timeouts: timeoutsOf(spec, component),
    dependsOn: [...dependenciesOf(component)].sort(),
    ...(terraform.state === undefined ? {} : { backend: terraform.state.backend }),
    ...ownRulesOf(component),
  };
}
