import type { Run, RunSpec } from "../api/run.ts";
import type { Verdict } from "./verdict.ts";

type Needs = ReadonlyMap<string, Verdict>;
type BuiltOn = NonNullable<RunSpec["builtOn"]>[number];

/** The states of what a component needs, as they are now: for the record of a Run that is made on them. */
export function builtOn(needs: Needs): Pick<RunSpec, "builtOn"> {
  return { builtOn: [...needs.values()].map(stateOf) };
}

/**
 * What a component needs is no longer what it was when this Run was made: its plan is for an older world. An apply that changed nothing left the
 * state as it was, and is none of it. A cache that is behind shows an older state than the Run was made on: that says nothing.
 */
export function whyBuiltOnOther({ spec }: Run, needs: Needs): string | undefined {
  if (spec.builtOn === undefined) return undefined;
  for (const verdict of needs.values()) {
    const { component, serial = 0, lineage } = stateOf(verdict);
    const then = spec.builtOn.find((one) => one.component === component);
    if (then === undefined) return `it depends on ${component} now`;
    const isNewer =
      serial > (then.serial ?? 0) || (then.lineage !== undefined && lineage !== undefined && then.lineage !== lineage);
    if (isNewer) return `${component} has been changed since: ${changeText(verdict, then.serial ?? 0, serial)}`;
  }
  return undefined;
}

function stateOf({ name, past }: Verdict): BuiltOn {
  const { state } = past.record ?? {};
  return { component: name, ...(state === undefined ? {} : { serial: state.serial, lineage: state.lineage }) };
}

function changeText({ past }: Verdict, then: number, now: number): string {
  const { by, run } = past.record?.state ?? {};
  return `${by ?? `Run ${run}`} took its state from serial ${then} to ${now}`;
}
