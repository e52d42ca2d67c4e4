import type { Component } from "../api/component.ts";
import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import { changesBetween } from "./cause.ts";
import { isComingCorrection, whyNotCorrected } from "./correction.ts";
import { inputsOf } from "./desired.ts";
import type { ComponentPast } from "./observation.ts";
import { rulesOfDestroy, rulesOfRun, whyNotByRules } from "./rules-of-run.ts";

/**
 * Rules that are declared while a plan is made count for that plan, and so does the wish not to correct drift any more. Only an edit since the Run was
 * made can have changed either.
 */
export function whyNotAsDeclaredSince(
  run: Run,
  environment: Environment,
  record: ComponentPast["record"],
): string | undefined {
  const { operation, component, cause } = run.spec;
  const { metadata, spec } = environment;
  if ((metadata.generation ?? 0) <= run.spec.environment.generation) return undefined;
  const declared = spec.components.find(({ name, formerName }) => [name, formerName].includes(component));
  if (operation === "Destroy") return whyNotByRules(run, rulesOfDestroy(environment, declared, { record }));
  if (declared === undefined) return undefined;
  const uncorrected = isComingCorrection(run) ? whyNotBroughtBack(run, environment, declared, record) : undefined;
  return uncorrected ?? whyNotByRules(run, rulesOfRun(cause.type, environment, declared, { record }));
}

/**
 * Whoever declares something else after the drift was found may have declared just what is there: what was applied before must not come back
 * first.
 */
function whyNotBroughtBack(
  { spec }: Run,
  environment: Environment,
  declared: Component,
  record: ComponentPast["record"],
): string | undefined {
  const unwanted = whyNotCorrected(environment, declared, { record, checks: [] });
  // For the night it has other variables, which nobody has edited.
  if (unwanted !== undefined || declared.sleep !== undefined) return unwanted;
  return changesBetween(spec, { inputs: inputsOf(environment, declared, undefined), engine: spec.engine });
}
