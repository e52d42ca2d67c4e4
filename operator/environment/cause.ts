import { canonicalJson } from "../api/digest.ts";
import type { Cause, Run, RunInputs, RunSpec } from "../api/run.ts";
import { type Applied, isOnlyAdopted, replacingWrite, writingText } from "../storage/record.ts";
import { desiredDigestOf } from "./digest.ts";
import type { ComponentPast } from "./observation.ts";

/** What a plan is made for, apart from outputs of others. */
export interface Intended {
  readonly inputs: RunInputs;
  readonly engine: Pick<RunSpec["engine"], "name" | "version">;
}

interface Wanted extends Intended {
  readonly inputsDigest: string;
  readonly revision: string | undefined;
  readonly request: string | undefined;
}

const short = (revision: string) => revision.slice(0, 12);

/** What made a new Run necessary, for its record. */
export function causeOf(past: ComponentPast, wanted: Wanted): Cause {
  const { inputs, revision, request } = wanted;
  const { record } = past;
  if (request !== undefined) return { type: "Requested", detail: requestText(request, record?.applied, wanted) };
  const { applied, attempted, destroyBegun } = record ?? {};
  if (record === undefined || applied === undefined) return { type: "Created", ...broughtBack(past) };
  if (past.latest === undefined || record.ownership === "Released" || isOnlyAdopted(record))
    return { type: "Created", detail: `takes over the state that Run ${applied.run} left` };
  const changes = changesBetween(applied, wanted);
  if (changes !== undefined) return { type: "SpecChanged", detail: changes };
  const commits = commitsBetween(applied.revision, revision);
  if (commits !== undefined) return { type: "SourceChanged", detail: commits };
  if (attempted !== undefined) return { type: "Retry", detail: `Run ${attempted.run} did not end well` };
  if (destroyBegun !== undefined)
    return { type: "Created", detail: `what Run ${destroyBegun.run} had begun to destroy is wanted again` };
  const replaced = replacingWrite(record);
  if (replaced !== undefined) return { type: "StateReplaced", detail: writingText(replaced) };
  return { type: "OutputsChanged", detail: usedOutputsText(inputs) };
}

function commitsBetween(before: string | undefined, now: string | undefined): string | undefined {
  if (before === undefined || now === undefined || before === now) return undefined;
  return `from ${short(before)} to ${short(now)}`;
}

/** Whoever reads the plan of a Run that somebody asked for is told what else has changed since the last. */
function requestText(request: string, applied: Applied | undefined, wanted: Wanted): string {
  const asked = `terrarium.dev/requestedAt=${request}`.slice(0, 128);
  const others =
    applied === undefined ? [] : [inputsChanged(applied, wanted), commitsBetween(applied.revision, wanted.revision)];
  return [asked, ...others.filter((text) => text !== undefined)].join("; ").slice(0, 512);
}

/** Where the digests differ and the intents do not, it is the outputs that they come from. */
function inputsChanged(applied: Applied, wanted: Wanted): string | undefined {
  const changes = changesBetween(applied, wanted);
  if (changes !== undefined) return changes;
  const isSame = applied.desiredDigest === desiredDigestOf(wanted.inputsDigest, applied.revision);
  return isSame ? undefined : usedOutputsText(wanted.inputs);
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
