import { createHmac } from "node:crypto";
import { canonicalJson } from "../api/digest.ts";
import type { OutputRecord } from "../api/run-status.ts";
import type { OutputValue } from "../engine/outputs.ts";
import { readOutputs } from "../engine/state-parts.ts";
import type { KeyRing } from "./key-ring.ts";
import { leisurely } from "./leisurely.ts";
import type { StateStore } from "./port.ts";
import type { ComponentRecord } from "./record.ts";
import { readState } from "./versions.ts";

export type { OutputValue } from "../engine/outputs.ts";

/** An output of a stored state, and what may be told about it. */
export interface StoredOutput {
  readonly value: unknown;
  readonly record: OutputRecord;
}

/**
 * The outputs in a component's stored state, sensitive ones too; empty where it has no state. Sensitive is also what the record
 * calls so, since only the agent of that Run knew which values are secret, and a value that no agent has judged yet.
 */
export async function outputsOf(
  store: StateStore,
  ring: KeyRing,
  record: ComponentRecord,
  signal?: AbortSignal,
): Promise<readonly StoredOutput[]> {
  const state = await readState(store, record, signal);
  if (state === undefined) return [];
  const values = await leisurely(readOutputs(state));
  const records = judgedBy(record.applied?.outputs ?? [], outputRecords(digestKeyOf(ring, record), values));
  return records.map((one, index) => ({ record: one, value: values[index]?.value }));
}

function judgedBy(known: readonly OutputRecord[], found: readonly OutputRecord[]): readonly OutputRecord[] {
  return found.map((output) => {
    const judged = known.find(({ name, digest }) => name === output.name && digest === output.digest);
    return { ...output, sensitive: output.sensitive || (judged?.sensitive ?? true) };
  });
}

/** Key for keyed digests of one component's values. */
export function digestKeyOf(ring: KeyRing, { storageId }: Pick<ComponentRecord, "storageId">): Buffer {
  return createHmac("sha256", ring.derive("digest")).update(storageId).digest();
}

/** `hmac-sha256:<hex>` over the canonical JSON: equal for equal values of one component, and otherwise says nothing. */
export function keyedDigest(key: Buffer, value: unknown): string {
  return `hmac-sha256:${createHmac("sha256", key).update(canonicalJson(value)).digest("hex")}`;
}

/** The outputs of an applied state after its agent has judged them. A value that was found to be secret before still is. */
export function judgedOutputs(
  found: readonly OutputRecord[],
  reported: readonly Pick<OutputRecord, "name" | "sensitive">[],
  before: readonly OutputRecord[],
  isUnnamedSensitive: boolean,
): readonly OutputRecord[] {
  return found.map((output) => {
    const told = reported.find(({ name }) => name === output.name)?.sensitive ?? isUnnamedSensitive;
    const was = before.some((one) => one.name === output.name && one.digest === output.digest && one.sensitive);
    return { ...output, sensitive: output.sensitive || told || was };
  });
}

export function outputRecords(key: Buffer, outputs: readonly OutputValue[]): readonly OutputRecord[] {
  return outputs.map(({ name, sensitive, value }) => ({ name, sensitive, digest: keyedDigest(key, value) }));
}
