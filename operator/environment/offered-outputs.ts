import type { Component } from "../api/component.ts";
import type { Environment } from "../api/environment.ts";
import type { OutputRecord } from "../api/run-status.ts";
import type { Answer, Trouble, Verdict } from "./verdict.ts";

const SHOWN = 12;

/** What others may use of a component: the outputs that its last apply left. */
export function offeredBy(verdict: Verdict | undefined): readonly OutputRecord[] {
  return verdict?.past.record?.applied?.outputs ?? [];
}

/** The first of a component's variables that comes from an output which does not exist. */
export function missingOutput(component: Component, needs: ReadonlyMap<string, Verdict>): Answer | undefined {
  for (const { name, valueFrom } of component.terraform.variables ?? []) {
    const output = valueFrom?.output;
    if (output === undefined) continue;
    const offered = offeredBy(needs.get(output.component));
    if (offered.some((record) => record.name === output.name)) continue;
    const field = `components[${component.name}].terraform.variables[${name}]`;
    return { state: "Stalled", ...noSuchOutput(field, output, offered) };
  }
  return undefined;
}

/** The first output that the Environment promises and a component lacks, although it is applied. The component is well: the promise is not. */
export function brokenPromise({ spec }: Environment, verdicts: readonly Verdict[]): Trouble | undefined {
  for (const { name, valueFrom } of spec.outputs ?? []) {
    const verdict = verdicts.find((candidate) => candidate.name === valueFrom.output.component);
    if (!verdict?.satisfied) continue;
    const offered = offeredBy(verdict);
    if (offered.some((record) => record.name === valueFrom.output.name)) continue;
    return noSuchOutput(`spec.outputs[${name}]`, valueFrom.output, offered);
  }
  return undefined;
}

function noSuchOutput(
  field: string,
  output: { readonly component: string; readonly name: string },
  offered: readonly OutputRecord[],
): Trouble {
  const message = `${field}: component ${output.component} has no output ${output.name}; it has ${namesOf(offered)}`;
  return { reason: "OutputMissing", message };
}

function namesOf(offered: readonly OutputRecord[]): string {
  if (offered.length === 0) return "none";
  const more = offered.length > SHOWN ? `, and ${offered.length - SHOWN} more` : "";
  const shown = offered.slice(0, SHOWN).map(({ name }) => name);
  return `${shown.join(", ")}${more}`;
}
