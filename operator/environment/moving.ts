import type { Component } from "../api/component.ts";
import type { Environment } from "../api/environment.ts";
import { type ComponentRecord, holdsNothing } from "../storage/record.ts";
import { type ComponentPast, type ComponentSeen, type Observation, pastOf } from "./observation.ts";
import { answerForOpenRun } from "./open-run.ts";
import { recordTrouble } from "./record-trouble.ts";
import type { Answer } from "./verdict.ts";
import { supersede, waitingRun } from "./waiting-run.ts";

/** Declared components whose state has not come from their former names yet, or cannot come, by these names. */
export function comingFrom({ environment, records }: Observation): ReadonlyMap<string, Component> {
  const { components } = environment.spec;
  const declared = new Set(components.map(({ name }) => name));
  const stored = new Map(records.map((record) => [record.key.component, record]));
  const coming = new Map<string, Component>();
  for (const component of components) {
    const { name, formerName } = component;
    if (formerName === undefined || declared.has(formerName)) continue;
    const former = stored.get(formerName);
    const isComing = isFree(environment, stored.get(name)) ? !isOnItsWay(former, name) : hasStayed(environment, former);
    if (isComing) coming.set(formerName, component);
  }
  return coming;
}

/** Nothing has this name yet, or only what a plan has left that was made before the rename was declared. */
const isFree = (environment: Environment, record: ComponentRecord | undefined): boolean =>
  record === undefined || (isOwn(environment, record) && record.movingTo === undefined && holdsNothing(record));

/** To another name than this one: that is finished first. */
const isOnItsWay = (record: ComponentRecord | undefined, name: string): boolean =>
  record?.movingTo !== undefined && record.movingTo !== name;

/** The new name has a record of its own, so the state has moved, unless something is left under the former name. */
const hasStayed = (environment: Environment, record: ComponentRecord | undefined): boolean =>
  record !== undefined && isOwn(environment, record) && record.movingTo === undefined && !holdsNothing(record);

const isOwn = ({ metadata }: Environment, { owner }: ComponentRecord): boolean => owner.environmentUid === metadata.uid;

/**
 * The component was renamed: what is under way under either name ends, and what is wrong with its state is put right, before that moves. Until then
 * no plan of the new name is applied, which knows nothing of that state.
 */
export function moveFromFormerName(seen: ComponentSeen, component: Component): Answer | undefined {
  const { observation, past } = seen;
  const { formerName } = component;
  if (formerName === undefined || past.record?.movingTo !== undefined) return undefined;
  if (comingFrom(observation).get(formerName)?.name !== component.name) return undefined;
  const former = pastOf(observation, formerName);
  if (former.record !== undefined && !isOwn(observation.environment, former.record)) return undefined;
  const answer = beforeMove(seen, former) ?? move(seen, former);
  return answer === undefined ? undefined : { heldBack: comesFrom(former), ...answer };
}

/** What has to end, or to be put right, before the state moves. */
function beforeMove({ observation, past }: ComponentSeen, former: ComponentPast): Answer | undefined {
  const waits = waitingRun(former);
  if (waits !== undefined) return supersede(waits, `the component is called ${past.name} now`);
  const { open } = former;
  const standing = open === undefined ? recordTrouble({ observation, past: former }) : answerForOpenRun(open);
  return former.record === undefined && standing === undefined ? undefined : (underNewName(past, former) ?? standing);
}

/** A plan that was made before anybody said where the state comes from is void; what is at work ends first. */
function underNewName(past: ComponentPast, former: ComponentPast): Answer | undefined {
  const waits = waitingRun(past);
  if (waits !== undefined) return supersede(waits, comesFrom(former));
  return past.open === undefined ? undefined : answerForOpenRun(past.open);
}

const comesFrom = ({ name }: ComponentPast): string => `its state comes from ${name}`;

function move({ observation, past }: ComponentSeen, former: ComponentPast): Answer | undefined {
  if (former.record === undefined) return undefined;
  const isTaken = !isFree(observation.environment, past.record);
  return isTaken ? nameTaken(past, former) : (troubleUnderNewName({ observation, past }) ?? moving(past, former));
}

function nameTaken({ name }: ComponentPast, former: ComponentPast): Answer {
  return {
    state: "Stalled",
    reason: "NameTaken",
    // What to do comes first: the status cuts long messages.
    message: `declare it as ${former.name} again, or take formerName off: ${name} has a state of its own, so that of ${former.name} cannot move there`,
  };
}

/** What comes would hide that something is missing which Runs of the new name itself have made; and it cannot come while that is claimed. */
const troubleUnderNewName = ({ observation, past }: ComponentSeen): Answer | undefined =>
  recordTrouble({ observation, past: { ...past, formerRuns: [] } });

const moving = ({ name }: ComponentPast, former: ComponentPast): Answer => ({
  state: "Pending",
  reason: "Pending",
  message: `the state moves here from ${former.name}`,
  step: { type: "renameState", from: former.name, to: name },
});

/**
 * A rename that was cut off is finished before anything else, whatever is declared by now: no Run of the old name gets anywhere until then,
 * and the state may have its new name already.
 */
export function unfinishedMove({ observation, past }: ComponentSeen): Answer | undefined {
  const { movingTo, owner } = past.record ?? {};
  if (movingTo === undefined || owner?.environmentUid !== observation.environment.metadata.uid) return undefined;
  return {
    state: "Pending",
    reason: "Pending",
    message: `the state moves to ${movingTo}`,
    step: { type: "renameState", from: past.name, to: movingTo },
  };
}
