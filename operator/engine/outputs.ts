/** Outputs are read from the stored state: the event stream of an apply leaves out the values of sensitive ones. */
import { z } from "zod";
import { parseExactly } from "./exact-integers.ts";
import { readDocument } from "./state.ts";

export interface OutputValue {
  readonly name: string;
  /** Integers that a number cannot hold exactly are strings in it, as in a manifest: an engine converts them by itself. */
  readonly value: unknown;
  /** The engine's own notation: `"string"`, or `["list","string"]` and so on. */
  readonly type: unknown;
  readonly sensitive: boolean;
}

const stateOutputs = z.object({
  version: z.literal(4),
  outputs: z
    .record(
      z.string(),
      z.object({ value: z.unknown().optional(), type: z.unknown().optional(), sensitive: z.boolean().default(false) }),
    )
    .nullish(),
});

export function parseOutputs(stateText: string): OutputValue[] {
  const { outputs } = readDocument(stateText, stateOutputs, (text) => parseExactly(text, (digits) => digits));
  return Object.entries(outputs ?? {})
    .map(([name, { value, type, sensitive }]) => ({ name, value, type, sensitive }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
