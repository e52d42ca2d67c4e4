import { ANNOTATIONS } from "../api/names.ts";
import type { Run } from "../api/run.ts";

/** What the state that it worked on is called by now. */
export const stateNameOf = ({ metadata, spec }: Run): string =>
  metadata.annotations?.[ANNOTATIONS.movedTo] ?? spec.component;

/** Runs of names that this state had before, newest first: each name numbers its Runs anew. */
export function runsOfFormerNames(runs: readonly Run[], name: string): readonly Run[] {
  return runs.filter(({ metadata }) => metadata.annotations?.[ANNOTATIONS.movedTo] === name).sort(newestFirst);
}

function newestFirst(a: Run, b: Run): number {
  const madeAt = ({ metadata }: Run): string => metadata.creationTimestamp ?? "";
  return madeAt(b).localeCompare(madeAt(a)) || b.spec.number - a.spec.number;
}

/** From then on something may exist. Where it was cut off soon, nobody may have written down that it began. */
export const hasBegunToApply = ({ spec, status }: Run): boolean =>
  spec.operation === "Apply" && (status?.applyStartedAt !== undefined || status?.phase === "Interrupted");

export const hasDestroyed = ({ spec, status }: Run): boolean =>
  spec.operation === "Destroy" && status?.phase === "Succeeded";

/** Of Runs that come newest first, those since all was destroyed last. */
export function sinceDestroyed(runs: readonly Run[]): readonly Run[] {
  const destroyed = runs.findIndex(hasDestroyed);
  return destroyed === -1 ? runs : runs.slice(0, destroyed);
}
