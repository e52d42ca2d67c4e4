import type { PlanCounts } from "../../operator/api/run-status.ts";

/** `+1 ~2 ±1 -3`: to create, to change, to replace, to delete. */
export function countsShort(counts: PlanCounts): string {
  const parts = [
    [counts.create, "+"],
    [counts.update, "~"],
    [counts.replace, "±"],
    [counts.delete, "-"],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, sign]) => `${sign}${count}`);
  return told.length === 0 ? "no change" : told.join(" ");
}

/** `1 to create, 2 to change, 1 to replace, 3 to destroy`. */
export function countsLong(counts: PlanCounts): string {
  const parts = [
    [counts.create, "to create"],
    [counts.update, "to change"],
    [counts.replace, "to replace"],
    [counts.delete, "to destroy"],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return told.length === 0 ? "nothing to change" : told.join(", ");
}

/** Something that exists would be gone afterwards, or be another thing. */
export const destroysSomething = (counts: PlanCounts): boolean => counts.delete + counts.replace > 0;
