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

/**
 * A pattern with the sentence that refuses what does not match. The generator makes a CEL rule of both, with `bounds`
 * as a further CEL condition that is asked only of what matches.
 */
export const matching = (max: number, pattern: RegExp, refusal: string, bounds?: string) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(pattern)
    .meta({ refusal, ...(bounds === undefined ? {} : { bounds }) });

export const shortName = matching(
  20,
  /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  "a name consists of lower-case letters, digits and '-', and begins and ends with a letter or digit",
);

/** Name of another object of the same namespace. */
export const objectName = matching(
  253,
  /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
  "the name of an object consists of lower-case letters, digits, '-' and '.', and begins and ends with a letter or digit",
);

/** A file or folder of a repository, from its root. */
export const repositoryPath = matching(
  256,
  /^\.?[A-Za-z0-9_][A-Za-z0-9_.@+-]*(\/\.?[A-Za-z0-9_][A-Za-z0-9_.@+-]*)*$/,
  "a path begins at the root of the repository, without a leading or final '/', and holds no '..'",
);

export const dataKey = matching(
  253,
  /^[-._a-zA-Z0-9]+$/,
  "a key of a Secret or ConfigMap consists of letters, digits, '-', '_' and '.'",
);

/** Name of a variable or output in a module: an identifier of the configuration language. */
export const identifier = matching(
  128,
  /^[a-zA-Z_][a-zA-Z0-9_-]*$/,
  "the name of a variable or output consists of letters, digits, '_' and '-', and begins with a letter or '_'",
);

/** Amount of a resource, as in a pod. */
export const quantity = matching(
  32,
  /^[0-9]+(\.[0-9]+)?([numkMGTPE]|[KMGTPE]i)?$/,
  'a quantity is a string as in "500m", "2Gi" or "1"',
);

const DURATION = /^([0-9]{1,6}(ms|s|m|h))+$/;

/** Whole units from milliseconds to hours, as in `90s` or `1h30m`, between two limits of the same form. */
export const durationBetween = (low: string, high: string) =>
  matching(
    20,
    DURATION,
    `a duration is written as in 90s or 1h30m, and must be between ${low} and ${high} here`,
    `duration(self) >= duration('${low}') && duration(self) <= duration('${high}')`,
  );

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

export const objectRef = z
  .object({ name: objectName.describe("Name of the object in the namespace of the Environment.") })
  .describe("An object in the namespace of the Environment.");
