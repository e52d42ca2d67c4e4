import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import { isComingCorrection, whyNotCorrected } from "./correction.ts";
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
  const uncorrected = isComingCorrection(run)
    ? whyNotCorrected(environment, declared, { record, checks: [] })
    : undefined;
  return uncorrected ?? whyNotByRules(run, rulesOfRun(cause.type, environment, declared, { record }));
}
