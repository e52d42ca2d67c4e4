/**
 * What a plan marks as sensitive must not be seen anywhere in it: providers repeat values in attributes that they do not
 * mark (`terraform_data` shows its `input` in its `output`).
 */
import { fields, isFields, isNumber, type PlanDocument } from "./plan-document.ts";

export const SENSITIVE = "(sensitive value)";
/** Shorter values are hidden where they are marked, and not looked for elsewhere: they would hide every other word. */
const SHORTEST = 4;

/** Takes the sensitive values of one plan out of a text, of which more than the first `most` characters may be missing then. */
export type Mask = (text: string, most?: number) => string;

export function maskFor(plan: PlanDocument): Mask {
  const secrets = [...sensitiveTexts(plan)].sort((a, b) => b.length - a.length);
  const reach = secrets[0]?.length ?? 0;
  const without = (text: string): string =>
    secrets.reduce((rest, secret) => (rest.includes(secret) ? rest.replaceAll(secret, SENSITIVE) : rest), text);
  return (text, most = text.length) => {
    if (text.length <= most + reach) return without(text);
    // Where it is cut, half of a secret may be left, which nobody recognises.
    const begun = without(text.slice(0, most + reach));
    return begun.slice(0, Math.max(0, begun.length - reach));
  };
}

/** Values as they are, and as they are inside of a JSON document. */
function sensitiveTexts(plan: PlanDocument): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (text: string) => {
    if (text.length < SHORTEST) return;
    found.add(text).add(JSON.stringify(text).slice(1, -1));
  };
  const changes = [...(plan.resource_changes ?? []), ...(plan.resource_drift ?? [])].map(({ change }) => change);
  for (const change of [...changes, ...Object.values(plan.output_changes ?? {})]) {
    collect(change.before, change.before_sensitive, add);
    collect(change.after, change.after_sensitive, add);
  }
  const declared = plan.configuration?.root_module?.variables ?? {};
  for (const [name, { value }] of Object.entries(plan.variables ?? {})) {
    collect(value, declared[name]?.sensitive, add);
  }
  return found;
}

function collect(value: unknown, mark: unknown, add: (text: string) => void): void {
  if (mark === true) collectAll(value, add);
  else if (Array.isArray(value) && Array.isArray(mark)) {
    for (const [at, item] of value.entries()) collect(item, mark[at], add);
  } else if (isFields(value) && isFields(mark)) {
    for (const [name, item] of Object.entries(value)) collect(item, fields(mark)[name], add);
  }
}

function collectAll(value: unknown, add: (text: string) => void): void {
  if (typeof value === "string" || isNumber(value)) add(String(value));
  else if (typeof value === "object" && value !== null) for (const item of Object.values(value)) collectAll(item, add);
}
