import type { Component } from "../api/component.ts";
import type { Environment } from "../api/environment.ts";
import type { OutputRecord } from "../api/run.ts";
import type { Answer, Verdict } from "./verdict.ts";

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
    return noSuchOutput(`components[${component.name}].terraform.variables[${name}]`, output, offered);
  }
  return undefined;
}

/** The verdicts, where an output that the Environment promises is missing from a component that is applied. */
export function withMissingOutputs({ spec }: Environment, verdicts: readonly Verdict[]): readonly Verdict[] {
  return verdicts.map((verdict) => {
    if (!verdict.satisfied) return verdict;
    const offered = offeredBy(verdict);
    const missing = (spec.outputs ?? []).find(
      ({ valueFrom: { output } }) =>
        output.component === verdict.name && !offered.some((record) => record.name === output.name),
    );
    if (missing === undefined) return verdict;
    return { ...verdict, ...noSuchOutput(`outputs[${missing.name}]`, missing.valueFrom.output, offered) };
  });
}

function noSuchOutput(
  field: string,
  output: { readonly component: string; readonly name: string },
  offered: readonly OutputRecord[],
) {
  const names = offered.length === 0 ? "none" : offered.map(({ name }) => name).join(", ");
  const message = `${field}: component ${output.component} has no output ${output.name}; it has ${names}`;
  return { state: "Stalled", reason: "OutputMissing", message } as const;
}
