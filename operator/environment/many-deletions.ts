import { ANNOTATIONS } from "../api/names.ts";
import type { Observation } from "./observation.ts";
import type { Verdict } from "./verdict.ts";

/** Deletions that are at most so far apart count as one event: a wrong selector, a pruned repository, a script. */
export const TOGETHER_MS = 60_000;

/**
 * Was this Environment deleted together with many others, and has nobody confirmed it? Who was held back once stays so, however many of the others
 * have gone meanwhile, and whatever it waited for at that time.
 */
export function isHeldBack({ environment, deletions }: Observation): boolean {
  const { metadata, status } = environment;
  if (metadata.annotations?.[ANNOTATIONS.confirmDelete] === "true") return false;
  const many = deletions.limit > 0 && deletions.together > deletions.limit;
  // An older version remembered it only so.
  const wasShown = status?.components?.some(({ reason }) => reason === "ManyDeletions") ?? false;
  return many || wasShown || status?.deletedWithMany === true;
}

/** What is under way ends, and no further destroy begins. Releasing and forgetting destroy nothing. */
export function heldBack(verdict: Verdict): Verdict {
  if (verdict.step.type !== "startRun") return verdict;
  return {
    ...verdict,
    state: "Stalled",
    reason: "ManyDeletions",
    message: `annotate the Environment with ${ANNOTATIONS.confirmDelete}=true if this is meant: it was deleted together with many others`,
    step: { type: "none" },
  };
}
