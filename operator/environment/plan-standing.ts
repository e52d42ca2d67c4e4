import { FINALIZERS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import type { PlanStanding } from "../run/observation.ts";
import { asWaiting } from "../run/phase.ts";
import { decide } from "./decide.ts";
import type { Observation } from "./observation.ts";

/**
 * What would be decided about the plan of this Run, if it were looked at now: the very decision that each round for the Environment makes. `observation`
 * needs the Runs and records of all that has a say in it: of what the component needs and, where components sleep, of what uses it.
 */
export function planStanding(observation: Observation, run: Run): PlanStanding {
  const others = observation.runs.filter(({ metadata }) => metadata.uid !== run.metadata.uid);
  const decision = decide({ ...marked(observation), runs: [...others, asWaiting(run)] });
  if (!("verdicts" in decision)) return { type: "stands" };
  for (const { step } of decision.verdicts) {
    if (step.type === "supersede" && step.run.metadata.uid === run.metadata.uid) return { type: "void", why: step.why };
  }
  const verdict = decision.verdicts.find(({ name }) => name === run.spec.component);
  const why = verdict?.state === "Stalled" ? verdict.message : verdict?.heldBack;
  return why === undefined ? { type: "stands" } : { type: "heldBack", why };
}

/** Whether the Environment carries its finalizer already says nothing about a plan. */
function marked(observation: Observation): Observation {
  const { environment } = observation;
  const finalizers = [FINALIZERS.environment];
  return { ...observation, environment: { ...environment, metadata: { ...environment.metadata, finalizers } } };
}
