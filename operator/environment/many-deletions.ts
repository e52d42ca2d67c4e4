import { ANNOTATIONS } from "../api/names.ts";
import type { Observation } from "./observation.ts";
import type { Verdict } from "./verdict.ts";

/** Deletions that are at most so far apart count as one event: a wrong selector, a pruned repository, a script. */
export const TOGETHER_MS = 60_000;

/**
 * The verdicts about an Environment that was deleted together with many others, where nobody has confirmed it: what is under
 * way ends, and no further destroy begins. Who was held back once stays so, however many of the others have gone meanwhile.
 */
export function heldBack(observation: Observation, verdicts: readonly Verdict[]): readonly Verdict[] {
  const { environment, deletions } = observation;
  if (environment.metadata.annotations?.[ANNOTATIONS.confirmDelete] === "true") return verdicts;
  const many = deletions.limit > 0 && deletions.together > deletions.limit;
  const wasHeld = environment.status?.components?.some(({ reason }) => reason === "ManyDeletions") ?? false;
  return many || wasHeld ? verdicts.map(held) : verdicts;
}

/** Releasing and forgetting destroy nothing. */
function held(verdict: Verdict): Verdict {
  if (verdict.step.type !== "startRun") return verdict;
  return {
    ...verdict,
    state: "Stalled",
    reason: "ManyDeletions",
    message: `annotate the Environment with ${ANNOTATIONS.confirmDelete}=true if this is meant: it was deleted together with many others`,
    step: { type: "none" },
  };
}
