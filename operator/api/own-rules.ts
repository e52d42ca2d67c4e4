import type { Component } from "./component.ts";
import { canonicalJson } from "./digest.ts";
import type { RunInputs } from "./run.ts";

/** What a component says for itself about plans: as it is declared, or as it was applied. */
export type OwnRules = Pick<Component & RunInputs, "approval" | "protect" | "maxDeletes">;

export function ownRulesOf({ approval, protect, maxDeletes }: OwnRules): OwnRules {
  return {
    ...(approval === undefined ? {} : { approval }),
    ...(protect === undefined ? {} : { protect }),
    ...(maxDeletes === undefined ? {} : { maxDeletes }),
  };
}

/** Whatever else the two may carry. */
export const areSameRules = (one: OwnRules, other: OwnRules): boolean =>
  canonicalJson(ownRulesOf(one)) === canonicalJson(ownRulesOf(other));
