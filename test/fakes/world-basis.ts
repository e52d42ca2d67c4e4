import { canonicalJson } from "../../operator/api/digest.ts";
import type { Environment, EnvironmentSpec } from "../../operator/api/environment.ts";
import { isClosed, type Run } from "../../operator/api/run.ts";
import type { KubeObject } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS, RUNS } from "../../operator/cluster/resources.ts";
import type { Clock } from "../../operator/loop/clock.ts";
import type { WorldApi } from "./world-api.ts";
import { asScaled } from "./world-calendar.ts";
import type { Cloud } from "./world-cloud.ts";
import type { SpecHistory } from "./world-expectation.ts";
import type { Hands } from "./world-hands.ts";

/** I4, its other half: what waited is applied only while it is what is declared, and while what it rests on is what it was. */
export interface BasisOracle {
  /** The pod begins that is to apply what waited. */
  begins(run: string): void;
  /** An engine is about to apply it. */
  applies(run: string): void;
}

export interface BasisParts {
  readonly api: WorldApi;
  readonly cloud: Cloud;
  readonly clock: Pick<Clock, "now">;
  readonly history: SpecHistory;
  readonly hands: Hands;
  readonly violated: (what: string) => void;
}

/**
 * The gateway gives its word at some moment between the two, and nobody but it knows which: only what stands against the plan all the time from the
 * pod's begin to the engine's is held against it.
 */
export function watchBasis({ api, cloud, clock, history, hands, violated }: BasisParts): BasisOracle {
  /** What the needed components had made when a Run was born, by its name. */
  const bornOn = new Map<string, ReadonlyMap<string, string>>();
  const against = new Map<string, readonly string[]>();

  const runs = () => api.all<KubeObject>(RUNS.plural) as unknown as readonly Run[];
  const thingsOf = ({ metadata, spec }: Run, component: string): string =>
    cloud
      .asApplied({ namespace: metadata.namespace, environment: spec.environment.name, component })
      .filter(({ id }) => !cloud.abandoned().has(id))
      .map(({ id, content }) => `${id}=${content}`)
      .toSorted()
      .join();

  api.onEvent(({ plural, old, now }) => {
    if (plural === RUNS.plural && old === undefined && now !== undefined) {
      const run = now as unknown as Run;
      bornOn.set(run.metadata.name, new Map(run.spec.inputs.dependsOn.map((name) => [name, thingsOf(run, name)])));
    }
    if (plural !== RUNS.plural && plural !== ENVIRONMENTS.plural) return;
    // Where nothing is left, nothing can stay.
    for (const [name, reasons] of against)
      if (reasons.length > 0) against.set(name, inBoth(reasons, reasonsAgainst(name)));
  });

  function reasonsAgainst(name: string): readonly string[] {
    const run = runs().find(({ metadata }) => metadata.name === name);
    if (run === undefined) return [];
    const found = api.find(ENVIRONMENTS.plural, run.metadata.namespace, run.spec.environment.name);
    const environment =
      found?.metadata.uid === run.spec.environment.uid ? (found as unknown as Environment) : undefined;
    if (environment?.spec.suspend) return ["it is suspended"];
    return run.spec.operation === "Apply" ? reasonsAgainstApply(run, environment) : [];
  }

  function reasonsAgainstApply(run: Run, environment: Environment | undefined): readonly string[] {
    if (environment === undefined || environment.metadata.deletionTimestamp !== undefined)
      return ["the Environment is deleted"];
    const { component } = run.spec;
    const then = history.at(run.spec.environment.uid, run.spec.environment.generation);
    const bornMs = Date.parse(run.metadata.creationTimestamp ?? "");
    const key = { namespace: run.metadata.namespace, environment: run.spec.environment.name, component };
    const isShown = run.spec.cause.type === "Recovery" || hands.isReplaced(key);
    const wanted = meant(asScaled(environment.spec, clock.now().getTime()), component, isShown);
    const isOther = then === undefined || meant(asScaled(then, bornMs), component, isShown) !== wanted;
    return [
      ...(isOther ? ["something else is declared"] : []),
      ...run.spec.inputs.dependsOn.flatMap((needed) => reasonsIn(run, needed)),
    ];
  }

  function reasonsIn(run: Run, needed: string): readonly string[] {
    const open = runs()
      .filter(({ spec }) => spec.environment.uid === run.spec.environment.uid && spec.component === needed)
      .filter((one) => !isClosed(one) && one.spec.operation !== "Check" && !isComingCorrection(one))
      .map(({ metadata }) => `${metadata.name} of ${needed} is open`);
    const isOther = bornOn.get(run.metadata.name)?.get(needed) !== thingsOf(run, needed);
    return [...open, ...(isOther ? [`${needed} has been changed since`] : [])];
  }

  return {
    begins: (run) => void against.set(run, reasonsAgainst(run)),
    applies(run) {
      const left = inBoth(against.get(run) ?? [], reasonsAgainst(run));
      for (const reason of left) violated(`I4: ${run} applies a plan that waited, although ${reason}`);
    },
  };
}

const inBoth = (some: readonly string[], others: readonly string[]) => some.filter((one) => others.includes(one));

/** Nobody has to wait for it before it begins. */
const isComingCorrection = ({ spec, status }: Run): boolean =>
  spec.cause.type === "DriftFound" && status?.applyStartedAt === undefined && status?.phase !== "Applying";

/**
 * Of a spec, what a plan of the component is made for, and who must agree to it; in whatever order it is written down. Of a plan that
 * is shown to a person in any case it is the same whether nobody has to agree or one person.
 */
function meant({ variables, approval, components }: EnvironmentSpec, name: string, isShown: boolean): string {
  const component = components.find((one) => one.name === name);
  const rules = isShown ? forOneAtLeast(component?.approval ?? approval) : (component?.approval ?? approval);
  const given = [...(variables ?? []), ...(component?.terraform.variables ?? [])];
  const values = Object.fromEntries(given.map((variable) => [variable.name, variable]));
  return canonicalJson([component?.terraform.path, values, (rules?.required ?? 0) === 0 ? undefined : rules]);
}

const forOneAtLeast = (rules: EnvironmentSpec["approval"]): EnvironmentSpec["approval"] =>
  rules === undefined || rules.required === 0 ? { required: 1, planExpiresAfter: "24h" } : rules;
