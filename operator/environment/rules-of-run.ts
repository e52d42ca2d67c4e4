import type { RunRules } from "../api/approval.ts";
import type { Component } from "../api/component.ts";
import type { Environment } from "../api/environment.ts";
import type { Cause } from "../api/run.ts";
import { replacingWrite } from "../storage/record.ts";
import { driftSettings } from "./drift.ts";
import type { ComponentPast } from "./observation.ts";
import { askingSomebody, rulesFor } from "./rules.ts";

/**
 * The rules for an Apply of this cause, if it were made now. A proposal, whatever follows an apply that nobody has accounted for, and whatever
 * follows from a state that a person has put in, are shown to a person, also where nobody would have to be asked for such a plan. What follows a
 * correction that did not end well is a correction, too: whoever approved the first plan has not seen the next one.
 */
export function rulesOfRun(
  cause: Cause["type"],
  environment: Environment,
  component: Component,
  { record }: Pick<ComponentPast, "record">,
): RunRules {
  const rules = rulesFor(environment, component, "Apply");
  const corrects = cause === "DriftFound" || record?.attempted?.correction === true;
  const proposes = corrects && driftSettings(environment.spec, component).action === "Propose";
  const unaccounted = cause === "Recovery" || (corrects && record?.cutOff !== undefined);
  const replaced = replacingWrite(record) !== undefined;
  return proposes || unaccounted || replaced ? askingSomebody(rules) : rules;
}
