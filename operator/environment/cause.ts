import { canonicalJson } from "../api/digest.ts";
import type { Cause, Run, RunInputs, RunSpec } from "../api/run.ts";
import { replacingWrite, writingText } from "../storage/record.ts";
import type { ComponentPast } from "./observation.ts";

/** What a plan is made for, apart from outputs of others. */
export interface Intended {
  readonly inputs: RunInputs;
  readonly engine: Pick<RunSpec["engine"], "name" | "version">;
}

interface Wanted extends Intended {
  readonly revision: string | undefined;
  readonly request: string | undefined;
}

const short = (revision: string) => revision.slice(0, 12);

/** What made a new Run necessary, for its record. */
export function causeOf(past: ComponentPast, { inputs, engine, revision, request }: Wanted): Cause {
  if (request !== undefined) return { type: "Requested", detail: `terrarium.dev/requestedAt=${request}`.slice(0, 512) };
  const { record } = past;
  const { applied, attempted, destroyBegun } = record ?? {};
  if (applied === undefined) return { type: "Created", ...broughtBack(past) };
  if (past.latest === undefined || record?.ownership === "Released")
    return { type: "Created", detail: `takes over the state that Run ${applied.run} left` };
  const changes = changesBetween(applied, { inputs, engine });
  if (changes !== undefined) return { type: "SpecChanged", detail: changes };
  if (applied.revision !== revision && applied.revision !== undefined && revision !== undefined) {
    return { type: "SourceChanged", detail: `from ${short(applied.revision)} to ${short(revision)}` };
  }
  if (attempted !== undefined) return { type: "Retry", detail: `Run ${attempted.run} did not end well` };
  if (destroyBegun !== undefined)
    return { type: "Created", detail: `what Run ${destroyBegun.run} had begun to destroy is wanted again` };
  const replaced = replacingWrite(record);
  if (replaced !== undefined) return { type: "StateReplaced", detail: writingText(replaced) };
  return { type: "OutputsChanged", detail: usedOutputsText(inputs) };
}

/** How a Run ended, in the words of the cause of the next one. */
export function endText(run: Run | undefined): string {
  return `Run ${run?.spec.number} ended with ${run?.status?.outcome?.reason ?? "no result"}`;
}

function broughtBack({ latest }: ComponentPast): { readonly detail?: string } {
  return latest?.spec.cause.type === "Expired" ? { detail: "the lifetime was extended after its end" } : {};
}

/** Whose output it may be that a variable comes from: values are nobody's business. */
export function usedOutputsText(inputs: RunInputs): string {
  const used = inputs.variables.flatMap(({ valueFrom }) => valueFrom?.output ?? []);
  const names = [...new Set(used.map(({ component }) => component))].sort();
  return names.length === 0 ? "its inputs" : `an output that it uses of ${names.join(" or ")}`.slice(0, 512);
}

/** What differs between two intents, in a sentence; nothing where it is not the intents that differ. */
export function changesBetween(before: Intended, now: Intended): string | undefined {
  const changed = [...engineChange(before.engine, now.engine), ...changedFields(before.inputs, now.inputs)];
  return changed.length === 0 ? undefined : `changed: ${changed.join(", ")}`.slice(0, 512);
}

function engineChange(before: Intended["engine"], now: Intended["engine"]): readonly string[] {
  const [then, today] = [before, now].map(({ name, version }) => `${name} ${version}`);
  return then === today ? [] : [`engine (from ${then} to ${today})`];
}

/** Names of the inputs that differ, variables one by one. */
function changedFields(before: RunInputs, now: RunInputs): readonly string[] {
  const fields = (["source", "path", "backend"] as const).filter(
    (field) => canonicalJson(before[field]) !== canonicalJson(now[field]),
  );
  const then = new Map(before.variables.map((variable) => [variable.name, canonicalJson(variable)]));
  const today = new Map(now.variables.map((variable) => [variable.name, canonicalJson(variable)]));
  const names = new Set([...then.keys(), ...today.keys()]);
  const variables = [...names].filter((name) => then.get(name) !== today.get(name)).sort();
  return [...fields, ...variables.slice(0, 8).map((name) => `variable ${name}`)];
}
