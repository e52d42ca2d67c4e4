import type { Environment, EnvironmentStatus } from "../api/environment.ts";
import type { Decision } from "./decide.ts";
import type { EnvironmentPorts, OutputValue } from "./ports.ts";
import type { Verdict } from "./verdict.ts";

type StatusOutputs = NonNullable<EnvironmentStatus["outputs"]>;

const LONGEST_SHOWN = 256;

/** The Environment's outputs that exist by now, with the digests of their values: known without reading any state. */
function wanted(environment: Environment, verdicts: readonly Verdict[]) {
  return (environment.spec.outputs ?? []).flatMap(({ name, valueFrom: { output } }) => {
    const applied = verdicts.find((verdict) => verdict.name === output.component)?.past.record?.applied;
    const record = applied?.outputs.find((candidate) => candidate.name === output.name);
    return record === undefined ? [] : [{ name, output, record }];
  });
}

/** The verdicts, where an output that the Environment promises is missing from a component that is applied. */
export function withMissingOutputs(environment: Environment, verdicts: readonly Verdict[]): readonly Verdict[] {
  return verdicts.map((verdict) => {
    if (!verdict.satisfied) return verdict;
    const offered = verdict.past.record?.applied?.outputs.map(({ name }) => name) ?? [];
    const missing = (environment.spec.outputs ?? []).find(
      ({ valueFrom: { output } }) => output.component === verdict.name && !offered.includes(output.name),
    );
    if (missing === undefined) return verdict;
    const message =
      `outputs[${missing.name}]: component ${verdict.name} has no output ${missing.valueFrom.output.name}; ` +
      `it has ${offered.length === 0 ? "none" : offered.join(", ")}`;
    return { ...verdict, state: "Stalled", reason: "OutputMissing", message };
  });
}

/** Publishes outputs whose values changed, and returns what the status shows of them. Without a change nothing is read or written. */
export async function publishOutputs(
  environment: Environment,
  decision: Decision,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<StatusOutputs | undefined> {
  if (decision.type !== "converge") return environment.status?.outputs;
  const outputs = wanted(environment, decision.verdicts);
  const shown = environment.status?.outputs ?? [];
  const unchanged =
    outputs.length === shown.length &&
    outputs.every(({ name, record }) => shown.some((line) => line.name === name && line.digest === record.digest)) &&
    environment.status?.observedGeneration === environment.metadata.generation;
  if (unchanged) return environment.status?.outputs;
  const { namespace, name: environmentName } = environment.metadata;
  const values = new Map<string, OutputValue>();
  for (const component of new Set(outputs.map(({ output }) => output.component))) {
    const known = await ports.outputsOf({ namespace, environment: environmentName, component }, signal);
    for (const { name, output } of outputs.filter((candidate) => candidate.output.component === component)) {
      const value = known.find(({ record }) => record.name === output.name);
      if (value !== undefined) values.set(name, value);
    }
  }
  if (environment.spec.writeOutputsTo !== undefined && values.size > 0) {
    await ports.writeOutputs(environment, values, signal);
  }
  return [...values].map(([name, value]) => lineFor(name, value));
}

function lineFor(name: string, { record, value }: OutputValue): StatusOutputs[number] {
  if (record.sensitive) return { name, sensitive: true, digest: record.digest };
  const short = JSON.stringify(value ?? null).length <= LONGEST_SHOWN;
  return { name, digest: record.digest, ...(short ? { value: value as never } : {}) };
}
