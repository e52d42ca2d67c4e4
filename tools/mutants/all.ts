import { APPROVALS } from "./approvals.ts";
import { AROUND } from "./around.ts";
import { DEATHS, LIFE } from "./life.ts";
import type { Mutant } from "./mutant.ts";
import { OPERATOR } from "./operator.ts";
import { BY_HAND, FULL_DISK, STATE } from "./state.ts";
import { UNASKED } from "./unasked.ts";
import { UNHEARD } from "./unheard.ts";

/** Every seeded bug. Each is a row of docs/reliability.md. */
export const MUTANTS: readonly Mutant[] = [
  ...STATE,
  ...LIFE,
  ...OPERATOR,
  ...APPROVALS,
  ...FULL_DISK,
  ...DEATHS,
  ...BY_HAND,
  ...UNASKED,
  ...UNHEARD,
  ...AROUND,
];
