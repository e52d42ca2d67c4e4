import type { Component } from "../api/component.ts";
import { type ComponentSeen, type Observation, pastOf } from "./observation.ts";
import { answerForOpenRun } from "./open-run.ts";
import { recordTrouble } from "./record-trouble.ts";
import type { Answer } from "./verdict.ts";
import { supersede, waitingRun } from "./waiting-run.ts";

/** Declared components whose state has not come from their former names yet, by these names. */
export function comingFrom({ environment, records }: Observation): ReadonlyMap<string, Component> {
  const { components } = environment.spec;
  const declared = new Set(components.map(({ name }) => name));
  const stored = new Set(records.map(({ key }) => key.component));
  const coming = new Map<string, Component>();
  for (const component of components) {
    const { name, formerName } = component;
    if (formerName === undefined || declared.has(formerName) || stored.has(name)) continue;
    coming.set(formerName, component);
  }
  return coming;
}

/** The component was renamed: what is under way under its former name ends, and what is wrong with its state is put right, before that moves. */
export function moveFromFormerName({ observation, past }: ComponentSeen, component: Component): Answer | undefined {
  const { formerName } = component;
  if (formerName === undefined || comingFrom(observation).get(formerName)?.name !== component.name) return undefined;
  const former = pastOf(observation, formerName);
  const { record, open } = former;
  if (record !== undefined && record.owner.environmentUid !== observation.environment.metadata.uid) return undefined;
  const waits = waitingRun(former);
  if (waits !== undefined) return supersede(waits, `the component is called ${past.name} now`);
  if (open !== undefined) return answerForOpenRun(open);
  const trouble = recordTrouble({ observation, past: former });
  if (trouble !== undefined || record === undefined) return trouble;
  return {
    state: "Pending",
    reason: "Pending",
    message: `the state moves here from ${formerName}`,
    step: { type: "renameState", from: formerName, to: past.name },
  };
}

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
