import { z } from "zod";

/** Building blocks of the schemas: each carries the sentence that `kubectl explain` and a refusal print. */

export interface CelRule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** Attaches CEL validation rules, which end as `x-kubernetes-validations` in the CRD. */
export const rules = (...list: readonly CelRule[]) => ({ "x-kubernetes-validations": list });

/** A list whose items have a unique key, so that two people can apply different items of it. */
export const listMap = (...keys: readonly string[]) => ({
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": keys,
});

export const shortName = z
  .string()
  .min(1)
  .max(20)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);

/** Name of another object of the same namespace. */
export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

export const dataKey = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[-._a-zA-Z0-9]+$/);

/** Name of a variable or output in a module: an identifier of the configuration language. */
export const identifier = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[a-zA-Z_][a-zA-Z0-9_-]*$/);

/** Whole units from milliseconds to hours, as in `90s` or `1h30m`. */
export const duration = z
  .string()
  .max(20)
  .regex(/^([0-9]{1,6}(ms|s|m|h))+$/);

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds of a duration that the schema has accepted; anything else counts as zero. */
export function durationMs(text: string): number {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+)(ms|s|m|h)/g)) {
    total += Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return total;
}

export const secretKeyRef = z
  .object({
    name: objectName.describe("Name of the Secret in the namespace of the Environment."),
    key: dataKey.describe("Key in the Secret's data."),
  })
  .describe("A key of a Secret. The runner's agent reads it; the operator never does.");

export const configMapKeyRef = z
  .object({
    name: objectName.describe("Name of the ConfigMap in the namespace of the Environment."),
    key: dataKey.describe("Key in the ConfigMap's data."),
  })
  .describe("A key of a ConfigMap.");

export const objectRef = z.object({
  name: objectName.describe("Name of the object in the namespace of the Environment."),
});
