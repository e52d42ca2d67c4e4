import type { Environment } from "../api/environment.ts";
import { LABELS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import type { Reader } from "../cluster/ports.ts";
import { RUNS } from "../cluster/resources.ts";
import type { CatalogueEngine } from "../environment/desired.ts";
import { dependenciesOf } from "../environment/graph.ts";
import type { Observation } from "../environment/observation.ts";
import { glance } from "../environment/observe.ts";
import { planStanding } from "../environment/plan-standing.ts";
import type { EnvironmentPorts } from "../environment/ports.ts";
import type { PlanStanding } from "../run/observation.ts";
import type { StateStore } from "../storage/port.ts";
import type { ComponentRecord } from "../storage/record.ts";
import type { CachedRun } from "./caches.ts";

/** By the caches of the leader: whether a pod is worth making. */
export function standingInCaches(ports: EnvironmentPorts): (run: Run) => PlanStanding {
  return (run) => {
    const { name, uid } = run.spec.environment;
    const environment = ports.environment(run.metadata.namespace, name);
    if (environment?.metadata.uid !== uid) return { type: "stands" };
    return planStanding(glance(environment, ports), run);
  };
}

export interface FreshParts {
  readonly client: Pick<Reader, "listAll">;
  readonly store: Pick<StateStore, "recordsOf">;
  readonly catalogue: readonly CatalogueEngine[];
}

/** The plan in question, its Environment as it is declared now, and the record of its own component. */
export interface AskedAbout {
  readonly run: Run;
  readonly environment: Environment;
  readonly own: ComponentRecord | undefined;
  readonly nowMs: number;
}

/**
 * By the API server and the store themselves: nothing that a cache has not heard of yet may be applied over. Two requests where the plan rests on
 * other components, or has had another name, and none where it does not. Where refs point is known to the leader alone, which makes Runs of it.
 */
export async function freshStanding(parts: FreshParts, asked: AskedAbout, signal: AbortSignal): Promise<PlanStanding> {
  const { run, environment, own, nowMs } = asked;
  const { component } = run.spec;
  const others = [...new Set([...restingOn(environment, component), ...formerNamesOf(environment, component)])];
  const observation: Observation = {
    environment,
    ...(others.length === 0
      ? { runs: [], records: own === undefined ? [] : [own] }
      : await seenOf(parts, environment, others, signal)),
    revisionOf: () => ({ state: "unfollowed" }),
    catalogue: parts.catalogue,
    nowMs,
    deletions: { together: 0, limit: 0 },
    crdTerminating: false,
  };
  return planStanding(observation, run);
}

async function seenOf(
  { client, store }: FreshParts,
  { metadata }: Environment,
  components: readonly string[],
  signal: AbortSignal,
) {
  const { namespace, name, uid } = metadata;
  const labelSelector = `${LABELS.environmentUid}=${uid},${LABELS.component} in (${components.join(",")})`;
  const [runs, records] = await Promise.all([
    client.listAll<CachedRun>(RUNS, { namespace, labelSelector, signal }),
    store.recordsOf(namespace, name, signal),
  ]);
  return { runs: runs.items, records: records.map(({ value }) => value) };
}

/** Its state may still be there, and moves first. */
const formerNamesOf = ({ spec }: Environment, component: string): readonly string[] =>
  spec.components.flatMap(({ name, formerName }) => (name === component ? (formerName ?? []) : []));

/** What has a say in whether a plan of the component is good. Where components sleep, one is kept awake for what uses it, whatever that is. */
function restingOn({ spec }: Environment, component: string): readonly string[] {
  if (spec.lifetime?.sleep === undefined) return neededBy({ spec }, component);
  return spec.components.map(({ name }) => name).filter((name) => name !== component);
}

/** All that the component needs, and what those need. */
function neededBy({ spec }: Pick<Environment, "spec">, component: string): readonly string[] {
  const needed = new Set<string>();
  const follow = (name: string): void => {
    const declared = spec.components.find((one) => one.name === name);
    for (const next of declared === undefined ? [] : dependenciesOf(declared)) {
      if (needed.has(next)) continue;
      needed.add(next);
      follow(next);
    }
  };
  follow(component);
  return [...needed].sort();
}
