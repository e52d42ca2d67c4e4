import type { Environment } from "../api/environment.ts";
import type { EnvironmentStatus } from "../api/environment-status.ts";
import { ANNOTATIONS } from "../api/names.ts";
import type { Decision } from "./decide.ts";
import { offeredBy } from "./offered-outputs.ts";
import type { EnvironmentPorts, OutputValue } from "./ports.ts";
import type { Verdict } from "./verdict.ts";

type StatusOutputs = NonNullable<EnvironmentStatus["outputs"]>;

const LONGEST_SHOWN = 256;

/** The Environment's outputs that exist by now, with the digests of their values: known without reading any state. */
function wanted(environment: Environment, verdicts: readonly Verdict[]) {
  return (environment.spec.outputs ?? []).flatMap(({ name, valueFrom: { output } }) => {
    const offered = offeredBy(verdicts.find((verdict) => verdict.name === output.component));
    const record = offered.find((candidate) => candidate.name === output.name);
    return record === undefined ? [] : [{ name, output, record }];
  });
}

export interface Published {
  /** What the status shows of the outputs. */
  readonly lines: StatusOutputs;
  /** Why they are not where they should be. */
  readonly error?: unknown;
}

/** Publishes outputs whose values changed. Without a change nothing is read or written. A failure leaves what was published. */
export async function publishOutputs(
  environment: Environment,
  decision: Decision,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<Published> {
  const lines = environment.status?.outputs ?? [];
  if (decision.type !== "converge" && decision.type !== "expire") return { lines };
  const outputs = decision.type === "expire" ? [] : wanted(environment, decision.verdicts);
  if (isPublished(environment, outputs)) return { lines };
  try {
    const values = await valuesOf(environment, outputs, ports, signal);
    // A state that is being written has other values than those that were applied: what is published waits for its end.
    if (values.size < outputs.length) return { lines: owed(lines) };
    if (environment.spec.writeOutputsTo !== undefined) await ports.writeOutputs(environment, values, signal);
    return { lines: [...values].map(([name, value]) => lineFor(name, value)) };
  } catch (error) {
    signal.throwIfAborted();
    return { lines: owed(lines), error };
  }
}

/** Shown as they were, but without the digests, which say that they are where they should be: the next round tries again. */
export const owed = (lines: StatusOutputs): StatusOutputs => lines.map(({ digest: _published, ...line }) => line);

type Wanted = ReturnType<typeof wanted>;

function isPublished(environment: Environment, outputs: Wanted): boolean {
  const { status, metadata } = environment;
  const shown = status?.outputs ?? [];
  if (outputs.length !== shown.length || status?.observedGeneration !== metadata.generation) return false;
  if (isAskedFor(environment) || isOwed(environment)) return false;
  const says = ({ name, record }: Wanted[number], line: StatusOutputs[number]) =>
    line.name === name && line.digest === record.digest && (line.sensitive ?? false) === record.sensitive;
  return outputs.every((output) => shown.some((line) => says(output, line)));
}

/** An object without any output in it has no line that could say so. */
function isOwed({ status }: Environment): boolean {
  return status?.conditions?.some(({ reason }) => reason === "OutputsNotWritten") ?? false;
}

/** Whoever deleted the object that holds them gets it back by asking: nobody watches it. */
function isAskedFor({ status, metadata }: Environment): boolean {
  return status?.handledRequest !== metadata.annotations?.[ANNOTATIONS.requestedAt]?.slice(0, 256);
}

async function valuesOf({ metadata }: Environment, outputs: Wanted, ports: EnvironmentPorts, signal: AbortSignal) {
  const values = new Map<string, OutputValue>();
  for (const component of new Set(outputs.map(({ output }) => output.component))) {
    const key = { namespace: metadata.namespace, environment: metadata.name, component };
    const known = await ports.outputsOf(key, signal);
    for (const { name, output, record } of outputs) {
      const value = known.find((candidate) => candidate.record.name === output.name);
      const isIt = output.component === component && value?.record.digest === record.digest;
      if (value !== undefined && isIt) values.set(name, value);
    }
  }
  return values;
}

function lineFor(name: string, { record, value }: OutputValue): StatusOutputs[number] {
  if (record.sensitive) return { name, sensitive: true, digest: record.digest };
  const short = JSON.stringify(value ?? null).length <= LONGEST_SHOWN;
  return { name, digest: record.digest, ...(short ? { value: value as never } : {}) };
}
