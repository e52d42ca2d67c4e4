import { createHmac } from "node:crypto";
import { canonicalJson } from "../api/digest.ts";
import type { OutputRecord } from "../api/run.ts";
import { type OutputValue, parseOutputs } from "../engine/outputs.ts";
import type { KeyRing } from "./key-ring.ts";
import type { StateStore } from "./port.ts";
import type { ComponentRecord } from "./record.ts";
import { readState } from "./versions.ts";

export type { OutputValue } from "../engine/outputs.ts";

/** Values of the outputs in a component's stored state, sensitive ones too; empty where it has no state. */
export async function outputsOf(
  store: StateStore,
  record: ComponentRecord,
  signal?: AbortSignal,
): Promise<readonly OutputValue[]> {
  const state = await readState(store, record, signal);
  return state === undefined ? [] : parseOutputs(state.toString("utf8"));
}

/** Key for keyed digests of one component's values. */
export function digestKeyOf(ring: KeyRing, { storageId }: Pick<ComponentRecord, "storageId">): Buffer {
  return createHmac("sha256", ring.derive("digest")).update(storageId).digest();
}

/** `hmac-sha256:<hex>` over the canonical JSON: equal for equal values of one component, and otherwise says nothing. */
export function keyedDigest(key: Buffer, value: unknown): string {
  return `hmac-sha256:${createHmac("sha256", key).update(canonicalJson(value)).digest("hex")}`;
}

export function outputRecords(key: Buffer, outputs: readonly OutputValue[]): readonly OutputRecord[] {
  return outputs.map(({ name, sensitive, value }) => ({ name, sensitive, digest: keyedDigest(key, value) }));
}
