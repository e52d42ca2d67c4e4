import type { Run } from "../api/run.ts";
import type { WritingHand } from "../storage/by-hand.ts";

/** What the Runs of a component, in any order, tell whoever writes its state: a record that was lost and made anew tells nothing. */
export function seenByRuns(runs: readonly Run[]): Pick<WritingHand, "newestRun" | "begun"> {
  const newestOf = (those: readonly Run[]): number => Math.max(0, ...those.map(({ spec }) => spec.number));
  const begun = newestOf(runs.filter(hasBegunToApply));
  return { newestRun: newestOf(runs), begun: begun > newestOf(runs.filter(hasDestroyed)) };
}

const hasBegunToApply = ({ spec, status }: Run): boolean =>
  spec.operation === "Apply" && status?.applyStartedAt !== undefined;

const hasDestroyed = ({ spec, status }: Run): boolean => spec.operation === "Destroy" && status?.phase === "Succeeded";
