import type { Component } from "../api/component.ts";
import type { OutputDigests } from "./digest.ts";
import type { ComponentSeen, Observation } from "./observation.ts";
import { offeredBy } from "./offered-outputs.ts";
import type { Answer, Verdict } from "./verdict.ts";

/** What one declared component is asked about, and what the answers may use. */
export interface Subject extends ComponentSeen {
  readonly component: Component;
  /** The newest commit, also where it changes nothing for this component. */
  readonly newestOf: Observation["revisionOf"];
  /** Verdicts of the components that this one needs. */
  readonly needs: ReadonlyMap<string, Verdict>;
}

/** Something that the component needs is not applied as declared, or is being changed. */
export function blocked({ needs }: Pick<Subject, "needs">): Answer | undefined {
  const unmet = [...needs.values()].filter((verdict) => !verdict.satisfied);
  if (unmet.length === 0) return undefined;
  const names = unmet.map(({ name, state }) => `${name} (${state})`).sort();
  return { state: "Blocked", reason: "Blocked", message: `waits for ${names.join(", ")}` };
}

/** The outputs that its variables come from, as the last applies of the others left them. */
export function outputDigests({ component, needs }: Pick<Subject, "component" | "needs">): OutputDigests {
  const digests: Record<string, string> = {};
  for (const { valueFrom } of component.terraform.variables ?? []) {
    const output = valueFrom?.output;
    if (output === undefined) continue;
    const digest = offeredBy(needs.get(output.component)).find((record) => record.name === output.name)?.digest;
    if (digest !== undefined) digests[`${output.component}.${output.name}`] = digest;
  }
  return digests;
}
