import { type OwnRules, ownRulesOf } from "../api/own-rules.ts";
import { isToldOfRules, type StateKey } from "../storage/record.ts";
import type { Observation } from "./observation.ts";
import { declarationOf } from "./removal.ts";

/** Own rules that the record of a component does not have yet. */
export interface RulesToNote {
  readonly key: StateKey;
  readonly rules: OwnRules;
}

/**
 * Rules make no Run, so no apply takes them into the record: they are noted there as soon as they are seen. Once the component is removed from
 * the spec, nobody else could say what was declared last.
 */
export function rulesToNote(observation: Observation): readonly RulesToNote[] {
  const { environment, records } = observation;
  return records.flatMap((record) => {
    const declared = declarationOf(observation, record.key.component);
    if (declared === undefined || !isToldOfRules(record, environment.metadata.uid, declared)) return [];
    return [{ key: record.key, rules: ownRulesOf(declared) }];
  });
}
