import type { Run } from "../api/run.ts";

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
