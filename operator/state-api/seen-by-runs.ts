import type { Run } from "../api/run.ts";
import { mayExist } from "../run/witness.ts";
import type { WritingHand } from "../storage/by-hand.ts";

export interface WrittenComponent {
  readonly name: string;
  /** Where its state comes from, if that has not come yet. */
  readonly formerName: string | undefined;
}

/**
 * What the Runs of an Environment, in any order, tell whoever writes the state of a component: a record that was lost and made anew tells
 * nothing. One that was lost before it was renamed is made up for under the new name.
 */
export function seenByRuns(
  runs: readonly Run[],
  { name, formerName }: WrittenComponent,
): Pick<WritingHand, "newestRun" | "begun"> {
  const numbers = runs.filter(({ spec }) => spec.component === name).map(({ spec }) => spec.number);
  const begun = mayExist(runs, name, ...(formerName === undefined ? [] : [formerName]));
  return { newestRun: Math.max(0, ...numbers), begun };
}
