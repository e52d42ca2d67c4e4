import type { StoredOutput } from "../storage/outputs.ts";
import type { ComponentRecord } from "../storage/record.ts";
import { Refused } from "../storage/refusal.ts";

/**
 * While a component is applied, and after that has failed, its state may hold outputs of what is only half done. What is used must be what its last
 * good apply left: by that, the operator knows what its dependents were made from. Throws `Refused("OutputsUnsettled")`.
 */
export function mustBeSettled(
  { key, applied }: ComponentRecord,
  name: string,
  current: StoredOutput | undefined,
): void {
  const left = applied?.outputs.find((output) => output.name === name);
  if (left?.digest === current?.record.digest) return;
  throw new Refused(
    "OutputsUnsettled",
    `component ${key.component} is being changed: its output ${name} is not what its last apply left. This is tried again when that has ended`,
  );
}
