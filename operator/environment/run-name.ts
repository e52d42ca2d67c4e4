import { digestOf } from "../api/digest.ts";
import type { RunSpec } from "../api/run.ts";

const PART = 20;

const trimmed = (text: string): string =>
  text
    .slice(0, PART)
    .replace(/[^a-z0-9]+$/, "")
    .replaceAll(".", "-");

/**
 * The name of a component's n-th Run. It depends on nothing else: two decisions that are made from caches of different age
 * meet at the same name, and the second finds that the Run exists.
 */
export function runName({
  environment,
  component,
  number,
}: Pick<RunSpec, "environment" | "component" | "number">): string {
  const hash = digestOf({ uid: environment.uid, component, number }).slice("sha256:".length, "sha256:".length + 8);
  return `${trimmed(environment.name)}-${trimmed(component)}-${hash}`;
}
