import type { Component } from "../api/component.ts";
import { type ComponentRecord, destroyBasisOf, isWhole } from "../storage/record.ts";
import { inputsOf, sourceOf } from "./desired.ts";
import { inputsDigestOf } from "./digest.ts";
import { dependenciesOf, type Graph, graphOf, orderOf, reversed } from "./graph.ts";
import { type Observation, pastOf } from "./observation.ts";
import { withKeptCommits } from "./watch.ts";

export type UsersOf = (name: string) => readonly string[];

/** Which components use one and are not gone yet? Worked out when somebody asks: mostly nothing goes, and nobody does. */
export function usersOf(observation: Observation): UsersOf {
  let known: UsersOf | undefined;
  return (name) => {
    known ??= workedOut(observation);
    return known(name);
  };
}

function workedOut(observation: Observation): UsersOf {
  const users = reversed(usage(observation));
  const holding = new Set(
    observation.records
      .filter(({ owner }) => owner.environmentUid === observation.environment.metadata.uid)
      .filter((record) => record.mayHoldObjects && record.ownership === "Owned")
      .map(({ key }) => key.component),
  );
  return (name) => [...(users.get(name) ?? [])].filter((user) => user !== name && holding.has(user)).sort();
}

/** Who uses whom. A cycle there cannot be waited out: then the records alone count, and where those have one, it is no order at all. */
function usage(observation: Observation): Graph {
  const graphWith = (needsOf: (observation: Observation, record: ComponentRecord) => Iterable<string>): Graph =>
    graphOf(observation.records.map((record) => [record.key.component, needsOf(observation, record)]));
  const graphs = [graphWith(presentNeeds), graphWith(recordedNeeds)];
  return graphs.find((graph) => orderOf(graph).cycle === undefined) ?? graphOf([]);
}

/** What it used at the last apply; an order that was declared anew since makes no other, and holds at once. */
function presentNeeds(observation: Observation, record: ComponentRecord): Iterable<string> {
  const { components } = observation.environment.spec;
  const component = components.find(({ name }) => name === record.key.component);
  const recorded = recordedNeeds(observation, record);
  if (component === undefined) return recorded;
  const declared = dependenciesOf(component);
  // Compared first, since digests of all that is declared take their time.
  const isSame = declared.size === recorded.length && recorded.every((name) => declared.has(name));
  return isSame || !isAppliedAs(observation, component, record) ? recorded : declared;
}

/** Under the names of that time, and under those that were given since: either may be the name of what is still there. */
function recordedNeeds({ environment }: Observation, record: ComponentRecord): readonly string[] {
  const recorded = destroyBasisOf(record)?.inputs.dependsOn ?? [];
  const renamed = environment.spec.components.filter(
    ({ formerName }) => formerName !== undefined && recorded.includes(formerName),
  );
  return [...recorded, ...renamed.map(({ name }) => name)];
}

/** Is what is declared what was applied last, whatever both say about the order? */
function isAppliedAs(observation: Observation, component: Component, record: ComponentRecord): boolean {
  const { environment } = observation;
  const { applied } = record;
  if (applied === undefined || !isWhole(record)) return false;
  const { revisionOf } = withKeptCommits(observation, component, pastOf(observation, component.name));
  const seen = revisionOf(sourceOf(environment.spec, component));
  if (seen.state === "known" && seen.revision !== applied.revision) return false;
  const [wanted, there] = [inputsOf(environment, component, undefined), applied.inputs].map((inputs) =>
    inputsDigestOf(applied.engine, inputs, {}),
  );
  return wanted === there;
}
