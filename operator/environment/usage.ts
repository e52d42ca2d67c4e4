import type { Component } from "../api/component.ts";
import type { Run } from "../api/run.ts";
import { isWaitingForPeople } from "../run/phase.ts";
import { hasBegunToApply, stateNameOf } from "../run/witness.ts";
import { destroyBasisOf, isWhole } from "../storage/record.ts";
import { inputsOf, sourceOf } from "./desired.ts";
import { inputsDigestOf } from "./digest.ts";
import { dependenciesOf, type Graph, graphOf, orderOf, reversed } from "./graph.ts";
import { lossOf, namesToldLost, toldLoss } from "./lost-state.ts";
import { type ComponentPast, type Observation, pastOf } from "./observation.ts";
import { policyOf } from "./removal.ts";
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
  const names = new Set([
    ...observation.records.map(({ key }) => key.component),
    ...observation.runs.flatMap((run) => stateNameOf(run) ?? []),
    ...namesToldLost(observation.environment),
  ]);
  const pasts = [...names].map((name) => pastOf(observation, name));
  const holding = pasts.filter((past) => isHolding(observation, past) || beginning(past) !== undefined);
  const users = reversed(usage(observation, holding));
  return (name) => [...(users.get(name) ?? [])].filter((user) => user !== name).sort();
}

/** Where a record is lost, what the Runs have made is still there, unless it was given up. */
function isHolding(observation: Observation, past: ComponentPast): boolean {
  const { record } = past;
  const lost = isLost(observation, past);
  if (record === undefined) return lost && policyOf({ observation, past }) !== "Retain";
  const isOwn = record.owner.environmentUid === observation.environment.metadata.uid && record.ownership === "Owned";
  return isOwn && (record.mayHoldObjects || lost);
}

/**
 * A Run is at work that may have been allowed to apply just now: its claim, and what it makes, may be in the store before anybody here has seen
 * that. A plan that waits needs nothing while it waits.
 */
const beginning = ({ open }: ComponentPast): Run | undefined =>
  open?.spec.operation === "Apply" && !isWaitingForPeople(open) ? open : undefined;

/** Who uses whom. A cycle there cannot be waited out: then what was applied alone counts, and where that has one, it is no order at all. */
function usage(observation: Observation, pasts: readonly ComponentPast[]): Graph {
  const present = graphOf(pasts.map((past) => [past.name, [...presentNeeds(observation, past), ...atWork(past)]]));
  const applied = graphOf(pasts.map((past) => [past.name, appliedNeeds(observation, past)]));
  return [present, applied].find((graph) => orderOf(graph).cycle === undefined) ?? graphOf([]);
}

/** What a Run that is at work was made with. */
const atWork = (past: ComponentPast): readonly string[] => beginning(past)?.spec.inputs.dependsOn ?? [];

/** What it used at the last apply; an order that was declared anew since makes no other, and holds at once. */
function presentNeeds(observation: Observation, past: ComponentPast): Iterable<string> {
  const { components } = observation.environment.spec;
  const component = components.find(({ name }) => name === past.name);
  const applied = appliedNeeds(observation, past);
  if (component === undefined) return applied;
  const declared = dependenciesOf(component);
  const basis = recordedBasis(observation, past);
  if (basis === undefined) return [...declared, ...applied];
  // Compared first, since digests of all that is declared take their time.
  const isSame = declared.size === applied.length && applied.every((name) => declared.has(name));
  return isSame || !isAppliedAs(observation, component, past) ? applied : declared;
}

/** Under the names of that time, and under those that were given since: either may be the name of what is still there. */
function appliedNeeds(observation: Observation, past: ComponentPast): readonly string[] {
  const begun = [...past.runs, ...past.formerRuns].find(hasBegunToApply)?.spec;
  // Of what is lost an older record may name too much, which only makes it wait.
  const basis = recordedBasis(observation, past) ?? begun ?? (past.record && destroyBasisOf(past.record));
  const applied = basis?.inputs.dependsOn ?? [];
  const needed = new Set(applied.flatMap((name) => [name, ...namesSince(observation, name)]));
  // It may have a name by now, or have had one, that was that of another.
  needed.delete(past.name);
  return [...needed];
}

/** The spec may have forgotten a rename, and the record tells of none that is to come. Whatever has a record of that name now is no other. */
function namesSince({ environment, records }: Observation, name: string): readonly string[] {
  const declared = environment.spec.components.filter(({ formerName }) => formerName === name);
  const isStored = records.some(({ key }) => key.component === name);
  const moved = isStored ? [] : records.filter(({ formerNames = [] }) => formerNames.includes(name));
  return [...declared.map((component) => component.name), ...moved.map(({ key }) => key.component)];
}

/** What the record says was applied, where that is not behind what is known of it. */
const recordedBasis = (observation: Observation, past: ComponentPast) =>
  past.record === undefined || isLost(observation, past) ? undefined : destroyBasisOf(past.record);

const isLost = ({ environment }: Observation, past: ComponentPast): boolean =>
  (lossOf(past) ?? toldLoss(environment, past)) !== undefined;

/** Is what is declared what was applied last, whatever both say about the order? */
function isAppliedAs(observation: Observation, component: Component, past: ComponentPast): boolean {
  const { environment } = observation;
  const { record } = past;
  if (record?.applied === undefined || !isWhole(record)) return false;
  const { applied } = record;
  const { revisionOf } = withKeptCommits(observation, component, past);
  const seen = revisionOf(sourceOf(environment.spec, component));
  if (seen.state === "known" && seen.revision !== applied.revision) return false;
  const [wanted, there] = [inputsOf(environment, component, undefined), applied.inputs].map((inputs) =>
    inputsDigestOf(applied.engine, inputs, {}),
  );
  return wanted === there;
}
