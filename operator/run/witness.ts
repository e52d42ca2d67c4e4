import { ANNOTATIONS } from "../api/names.ts";
import type { Run } from "../api/run.ts";

/** Its state has another name by now. */
export const hasMoved = ({ metadata }: Run): boolean => metadata.annotations?.[ANNOTATIONS.movedTo] !== undefined;

/** What the state that it worked on is called by now; undefined where nobody has written that down. */
export const stateNameOf = (run: Run): string | undefined =>
  hasMoved(run) ? run.metadata.annotations?.[ANNOTATIONS.stateName] : run.spec.component;

/** All Runs of the state that is called so by now, newest first. */
export function runsOfState(runs: readonly Run[], name: string): readonly Run[] {
  const own = runs.filter((run) => run.spec.component === name && !hasMoved(run));
  return [...own.sort(newestFirst), ...runsOfFormerNames(runs, name)];
}

/** Those of names that it had before, newest first. Each name numbers its Runs anew. */
export function runsOfFormerNames(runs: readonly Run[], name: string): readonly Run[] {
  return runs.filter((run) => hasMoved(run) && stateNameOf(run) === name).sort(newestFirst);
}

function newestFirst(a: Run, b: Run): number {
  const madeAt = ({ metadata }: Run): string => metadata.creationTimestamp ?? "";
  return madeAt(b).localeCompare(madeAt(a)) || b.spec.number - a.spec.number;
}

export const hasDestroyed = ({ spec, status }: Run): boolean =>
  spec.operation === "Destroy" && status?.phase === "Succeeded";

/** Of Runs that come newest first, those since all was destroyed last. */
export function sinceDestroyed(runs: readonly Run[]): readonly Run[] {
  const destroyed = runs.findIndex(hasDestroyed);
  return destroyed === -1 ? runs : runs.slice(0, destroyed);
}

/** From then on something may exist. Where it was cut off soon, nobody may have written down that it began. */
export const hasBegunToApply = ({ spec, status }: Run): boolean =>
  spec.operation === "Apply" && (status?.applyStartedAt !== undefined || status?.phase === "Interrupted");

/** There was something in the state at its end, whoever had put it in. */
const hasLeftSomething = ({ status }: Run): boolean => (status?.outcome?.resources ?? 0) > 0;

/** It knew of something, be it by a plan that failed. */
export const hasSeenSomething = (run: Run): boolean => hasBegunToApply(run) || hasLeftSomething(run);

/** It answers for something that may exist, since it had begun to apply, or found it as it is declared. A plan that failed does not. */
const hasAnsweredFor = (run: Run): boolean =>
  hasBegunToApply(run) ||
  (run.spec.operation === "Apply" && run.status?.phase === "Succeeded" && hasLeftSomething(run));

/** Something may exist of the state that has, or had, these names, the newest of them first: whatever the store knows. */
export const mayExist = (runs: readonly Run[], ...names: readonly string[]): boolean =>
  sinceDestroyed(names.flatMap((name) => runsOfState(runs, name))).some(hasAnsweredFor);
