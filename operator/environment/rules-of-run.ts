import type { RunRules } from "../api/approval.ts";
import type { Component } from "../api/component.ts";
import { canonicalJson } from "../api/digest.ts";
import type { Environment } from "../api/environment.ts";
import type { OwnRules } from "../api/own-rules.ts";
import type { Cause, Run } from "../api/run.ts";
import { lastRulesOf, replacingWrite } from "../storage/record.ts";
import { driftSettings } from "./drift.ts";
import type { ComponentPast } from "./observation.ts";
import { askingSomebody, asksPeople, rulesFor } from "./rules.ts";

type Recorded = Pick<ComponentPast, "record">;

/**
 * The rules for an Apply of this cause, if it were made now. A proposal, whatever follows an apply that nobody has accounted for, and whatever
 * follows from a state that a person has put in, are shown to a person, also where nobody would have to be asked for such a plan. What follows a
 * correction that did not end well is a correction, too: whoever approved the first plan has not seen the next one.
 */
export function rulesOfRun(
  cause: Cause["type"],
  environment: Environment,
  component: Component,
  { record }: Recorded,
): RunRules {
  const rules = rulesFor(environment, component, "Apply");
  const corrects = cause === "DriftFound" || record?.attempted?.correction === true;
  const proposes = corrects && driftSettings(environment.spec, component).action === "Propose";
  const unaccounted = cause === "Recovery" || (corrects && record?.cutOff !== undefined);
  const replaced = replacingWrite(record) !== undefined;
  return proposes || unaccounted || replaced ? askingSomebody(rules) : rules;
}

/** The rules for a Destroy, if it were made now. Of a component whose declaration is gone, its own are those that were declared last. */
export function rulesOfDestroy(
  environment: Environment,
  declared: OwnRules | undefined,
  { record }: Recorded,
): RunRules {
  return rulesFor(environment, declared ?? (record === undefined ? {} : lastRulesOf(record)), "Destroy");
}

/** Of a removal: where an approval takes the place of the confirmation, `unless` exempts from neither. */
export const exemptingNothing = (rules: RunRules): RunRules => (asksPeople(rules) ? askingSomebody(rules) : rules);

const OTHER_RULES = "the rules for plans have changed";

/** Why a plan of this Run is none that these rules allow. That of a removal is good when the whole Environment goes, too. */
export function whyNotByRules({ spec }: Run, rules: RunRules): string | undefined {
  const good = spec.operation === "Destroy" ? [rules, exemptingNothing(rules)] : [rules];
  return good.map(canonicalJson).includes(canonicalJson(spec.rules ?? {})) ? undefined : OTHER_RULES;
}
