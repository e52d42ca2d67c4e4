import type { Condition } from "../../operator/api/conditions.ts";
import type { Environment } from "../../operator/api/environment.ts";
import type { ComponentStatus } from "../../operator/api/environment-status.ts";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import type { Run } from "../../operator/api/run.ts";
import type { PlanCounts } from "../../operator/api/run-status.ts";
import { dependenciesOf, type Graph, graphOf, reversed } from "../../operator/environment/graph.ts";
import { isSettled, type Waiting, waitingOf } from "./waiting.ts";

/** One component, with what its status leaves to be found elsewhere. */
export interface ComponentPicture {
  readonly name: string;
  readonly state: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  /** False: it is no longer in the spec, and what it made still exists. */
  readonly declared: boolean;
  readonly needs: readonly string[];
  readonly run?: string | undefined;
  readonly number?: number | undefined;
  /** Tries that have failed, where they are counted. */
  readonly retries?: number | undefined;
  readonly revision?: string | undefined;
  readonly appliedAt?: string | undefined;
  /** Of a plan that is not applied yet. */
  readonly plan?: PlanCounts;
  /** The Run whose apply was cut off: it may have left things that no state has. */
  readonly interrupted?: string | undefined;
  readonly waiting?: Waiting;
  /** What differs from what was applied. */
  readonly drift?: ComponentStatus["drift"] | undefined;
  /** Who holds the lock of its state, where that is not simply the Run that is under way. */
  readonly lock?: ComponentStatus["lock"] | undefined;
}

/** What a condition says. */
export type Said = Pick<Condition, "reason" | "message">;

/** Names in annotations that hold several. */
export interface Confirmed {
  /** Removed components that may be destroyed. */
  readonly destroy: readonly string[];
  /** Runs whose leftovers are accounted for. */
  readonly gone: readonly string[];
}

/** An Environment as people ask about it. This is also what `-o json` prints. */
export interface Picture {
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: string;
  readonly ready: boolean;
  /** Nothing goes on until a person acts. */
  readonly stalled: boolean;
  /** Something is under way, or time brings it. */
  readonly reconciling: boolean;
  readonly reason: string;
  readonly message: string;
  readonly summary: string;
  readonly suspended: boolean;
  /** Why nothing goes on, where that is so. */
  readonly trouble?: Said;
  /** What differs from what was applied, or why nobody knows. */
  readonly drifted?: Said;
  /** What a person has confirmed already, and what still waits for more of the same. */
  readonly confirmed: Confirmed;
  /** The end of its lifetime is near: the sentence of the condition. */
  readonly expiring?: string;
  readonly deleting: boolean;
  /** False: the operator has not looked at the newest spec. */
  readonly seen: boolean;
  readonly components: readonly ComponentPicture[];
}

/** `runs` are those of this Environment; more, or fewer, do no harm. */
export function pictureOf(environment: Environment, runs: readonly Run[]): Picture {
  const { metadata, spec, status } = environment;
  const ready = conditionOf(environment, "Ready");
  const expiring = conditionOf(environment, "Expiring");
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? "",
    createdAt: metadata.creationTimestamp ?? "",
    ready: ready?.status === "True" && isSeen(environment),
    stalled: conditionOf(environment, "Stalled")?.status === "True",
    reconciling: conditionOf(environment, "Reconciling")?.status === "True",
    reason: ready?.reason ?? "NotSeen",
    message: ready?.message ?? "the operator has not looked at it yet",
    summary: status?.summary ?? "",
    suspended: spec.suspend,
    ...saidBy("trouble", conditionOf(environment, "Stalled"), ["True"]),
    ...saidBy("drifted", conditionOf(environment, "Drifted"), ["True", "Unknown"]),
    confirmed: {
      destroy: namesIn(environment, ANNOTATIONS.confirmDestroy),
      gone: namesIn(environment, ANNOTATIONS.confirmGone),
    },
    ...(expiring?.status === "True" ? { expiring: expiring.message } : {}),
    deleting: metadata.deletionTimestamp !== undefined,
    seen: isSeen(environment),
    components: componentsOf(environment, runs),
  };
}

export function conditionOf(environment: Environment, type: string): Condition | undefined {
  return environment.status?.conditions?.find((condition) => condition.type === type);
}

function saidBy<K extends string>(
  key: K,
  condition: Condition | undefined,
  told: readonly Condition["status"][],
): { readonly [key in K]?: Said } {
  if (condition === undefined || !told.includes(condition.status)) return {};
  const { reason, message } = condition;
  return { [key]: { reason, message } } as { readonly [key in K]: Said };
}

function namesIn({ metadata }: Environment, annotation: string): readonly string[] {
  const names = metadata.annotations?.[annotation]?.split(",") ?? [];
  return names.map((name) => name.trim()).filter((name) => name !== "");
}

function isSeen({ metadata, status }: Environment): boolean {
  return (status?.observedGeneration ?? -1) >= (metadata.generation ?? 0);
}

function componentsOf(environment: Environment, runs: readonly Run[]): readonly ComponentPicture[] {
  const lines = linesOf(environment);
  const byName = new Map(runs.map((run) => [run.metadata.name, run]));
  const graph = dependencies(environment, lines, byName);
  const states = new Map(lines.map(({ name, state }) => [name, state]));
  // What is destroyed first is what others need last.
  const leaving = environment.metadata.deletionTimestamp !== undefined;
  const ahead = leaving ? reversed(graph) : graph;
  return lines.map((line) => {
    const run = line.run === undefined ? undefined : byName.get(line.run);
    const behind = [...behindOf(line.name, reversed(ahead))].filter((name) => !isSettled(states.get(name), leaving));
    const unmet = [...(ahead.get(line.name) ?? [])].filter((name) => !isSettled(states.get(name), leaving));
    const waiting = waitingOf({ environment, line, run, unmet, behind });
    return {
      name: line.name,
      state: line.state,
      declared: environment.spec.components.some(({ name }) => name === line.name),
      needs: [...(graph.get(line.name) ?? [])],
      ...picked(line, [
        "reason",
        "message",
        "run",
        "number",
        "retries",
        "revision",
        "appliedAt",
        "drift",
        "lock",
        "interrupted",
      ]),
      ...(line.plan !== undefined && isPlanOpen(line, run) ? { plan: line.plan } : {}),
      ...(waiting === undefined ? {} : { waiting }),
    };
  });
}

/** Components that the operator has not seen yet are next. */
function linesOf({ spec, status }: Environment): readonly ComponentStatus[] {
  const seen = status?.components ?? [];
  const unseen = spec.components.filter(({ name }) => !seen.some((line) => line.name === name));
  return [...seen, ...unseen.map(({ name }): ComponentStatus => ({ name, state: "Pending" }))];
}

/** As declared; of a component that was removed, as its last Run had it. */
function dependencies(
  environment: Environment,
  lines: readonly ComponentStatus[],
  runs: ReadonlyMap<string, Run>,
): Graph {
  const known = new Set(lines.map(({ name }) => name));
  return graphOf(
    lines.map(({ name, run }) => {
      const declared = environment.spec.components.find((component) => component.name === name);
      const remembered = runs.get(run ?? "")?.spec.inputs.dependsOn ?? [];
      const needs = declared === undefined ? remembered : [...dependenciesOf(declared)];
      return [name, needs.filter((needed) => known.has(needed))];
    }),
  );
}

/** All that cannot go on before this one, near and far. */
function behindOf(name: string, dependents: Graph): ReadonlySet<string> {
  const found = new Set<string>();
  const look = (at: string): void => {
    for (const next of dependents.get(at) ?? []) {
      if (found.has(next) || next === name) continue;
      found.add(next);
      look(next);
    }
  };
  look(name);
  return found;
}

function isPlanOpen({ state }: ComponentStatus, run: Run | undefined): boolean {
  return !isSettled(state, false) && run?.status?.outcome === undefined;
}

/** Only what is there, so that JSON has no empty fields. */
function picked<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]])) as Pick<T, K>;
}
