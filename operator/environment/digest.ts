import { digestOf } from "../api/digest.ts";
import type { RunInputs, RunSpec } from "../api/run.ts";
import type { UsedOutput } from "../storage/record.ts";

/** Keyed digests of the outputs that variables come from, by `component.output`. */
export type OutputDigests = Readonly<Record<string, string>>;

/**
 * What a component is to become, apart from the revision of its source: engine, source, folder, variables, and the outputs
 * that they come from. Credentials, pod settings and deadlines are not part of it: they change how, not what.
 */
export function inputsDigestOf(
  engine: Pick<RunSpec["engine"], "name" | "version">,
  inputs: RunInputs,
  outputs: OutputDigests,
): string {
  const { git, ...others } = inputs.source;
  return digestOf({
    engine: { name: engine.name, version: engine.version },
    source: git === undefined ? others : { git: { url: git.url, ref: git.ref } },
    path: inputs.path,
    backend: inputs.backend,
    variables: Object.fromEntries(inputs.variables.map(({ name, ...value }) => [name, value])),
    outputs,
  });
}

/** The whole digest. A revision that is not known yet is looked up by the runner, and the gateway completes the digest with it. */
export function desiredDigestOf(inputsDigest: string, revision: string | undefined): string {
  return digestOf({ inputs: inputsDigest, revision: revision ?? null });
}

/** The digest of what a Run has applied: with the outputs that it was given, which may be newer than those that it was made for. */
export function appliedDigestOf(
  { engine, inputs, inputsDigest }: RunSpec,
  revision: string | undefined,
  used: readonly UsedOutput[],
): string {
  if (used.length === 0) return desiredDigestOf(inputsDigest, revision);
  const outputs = Object.fromEntries(used.map(({ component, name, digest }) => [`${component}.${name}`, digest]));
  return desiredDigestOf(inputsDigestOf(engine, inputs, outputs), revision);
}
