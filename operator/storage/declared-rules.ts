import { areSameRules, type OwnRules, ownRulesOf } from "../api/own-rules.ts";
import { type Change, changeRecord, without } from "./change.ts";
import type { StateStore } from "./port.ts";
import { type ComponentRecord, destroyBasisOf, isToldOfRules, type StateKey } from "./record.ts";

/** Remembers the rules that a component is declared with. Does nothing where the record says as much already, or is no longer this Environment's. */
export async function noteRules(
  store: StateStore,
  key: StateKey,
  environmentUid: string,
  rules: OwnRules,
  signal?: AbortSignal,
): Promise<void> {
  if ((await store.record(key, signal)) === undefined) return;
  await changeRecord(store, key, (record) => rulesNoted(record, environmentUid, rules), signal);
}

function rulesNoted(record: ComponentRecord, environmentUid: string, rules: OwnRules): Change<undefined> {
  if (!isToldOfRules(record, environmentUid, rules)) return { answer: undefined };
  return { next: withRules(record, rules), answer: undefined };
}

/** They are kept only where nothing else in the record tells of them. */
export const withRules = (record: ComponentRecord, rules: OwnRules): ComponentRecord =>
  withoutRepeatedRules({ ...record, declaredRules: ownRulesOf(rules) });

/** Once they were applied, what was applied tells of them. */
export function withoutRepeatedRules(record: ComponentRecord): ComponentRecord {
  const { declaredRules } = record;
  const basis = destroyBasisOf(record);
  const isRepeated = declaredRules !== undefined && basis !== undefined && areSameRules(declaredRules, basis.inputs);
  return isRepeated ? without(record, "declaredRules") : record;
}
