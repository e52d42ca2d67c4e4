/** What a plan of what was applied says about the world: what somebody else changed, as far as it counts. */
import type { PathsIn, PlannedResource, PlanReport, PlanSummary } from "./plan.ts";

/**
 * `*` in a pattern stands for any characters. An absent address is every address; absent attributes are every difference. A pattern of attributes is
 * for their names, and one with a dot for paths inside of them, too.
 */
export interface IgnoreRule {
  readonly address?: string | undefined;
  readonly attributes?: readonly string[] | undefined;
}

export interface Difference {
  readonly address: string;
  /** What a correction would do. */
  readonly action: "create" | "update" | "replace" | "delete" | "forget";
  readonly attributes: readonly string[];
  /** What differs inside of them. */
  readonly paths?: PathsIn | undefined;
}

export interface DriftFound {
  readonly counts: Pick<PlanSummary, "create" | "update" | "replace" | "delete">;
  readonly differences: readonly Difference[];
  /** Outputs that would have another value. */
  readonly outputs: readonly string[];
  /** Addresses of differences that a rule leaves out. */
  readonly ignored: readonly string[];
  /** Objects that changed in what the module does not set: no apply would undo that, so it is told and not counted. */
  readonly outside: readonly string[];
}

/** `plan` is a normal plan of exactly what was applied: whatever it would change is what differs. It must list every change. */
export function driftIn(plan: PlanReport, ignore: readonly IgnoreRule[]): DriftFound {
  const planned = plan.resources.items.flatMap(differenceIn);
  const differences = planned.filter((one) => !isIgnored(one, ignore));
  const count = (action: Difference["action"]) => differences.filter((one) => one.action === action).length;
  const names = new Set(planned.map(({ address }) => address));
  const outside = plan.drift.items
    .filter(({ address }) => !names.has(address))
    .filter(({ address, changed, paths }) => {
      return !isIgnored({ address, action: "update", attributes: changed, paths }, ignore);
    });
  return {
    counts: { create: count("create"), update: count("update"), replace: count("replace"), delete: count("delete") },
    differences,
    outputs: plan.outputs.items
      .map(({ name }) => `output.${name}`)
      .filter((address) => !isIgnored({ address, action: "update", attributes: ["value"] }, ignore)),
    ignored: planned.filter((one) => isIgnored(one, ignore)).map(({ address }) => address),
    outside: outside.map(({ address }) => address),
  };
}

export const isDrifted = ({ differences, outputs }: DriftFound): boolean =>
  differences.length > 0 || outputs.length > 0;

/** Reading a data source again is no difference, and neither is a move or an import, which the applied state has had. */
function differenceIn({ address, action, changed, paths, replacedBy }: PlannedResource): readonly Difference[] {
  if (action === "Unchanged" || action === "Read") return [];
  const attributes = action === "Replace" ? [...new Set([...changed, ...replacedBy])] : changed;
  return [{ address, action: action.toLowerCase() as Difference["action"], attributes, paths }];
}

/** Attributes can excuse only a change of attributes: an object that is gone is missing whatever its attributes were. */
function isIgnored({ address, action, attributes, paths }: Difference, rules: readonly IgnoreRule[]): boolean {
  return rules.some((rule) => {
    if (rule.address !== undefined && !matches(rule.address, address)) return false;
    const { attributes: patterns } = rule;
    if (patterns === undefined) return true;
    if (action !== "update" || attributes.length === 0) return false;
    return attributes.every((attribute) => isCovered(attribute, paths?.get(attribute) ?? [], patterns));
  });
}

/** Without a dot a pattern means names of attributes only: `*name` is for `display_name`, and not for whatever has a name inside. */
function isCovered(attribute: string, paths: readonly string[], patterns: readonly string[]): boolean {
  if (patterns.some((pattern) => matches(pattern, attribute))) return true;
  const inside = patterns.filter((pattern) => pattern.includes("."));
  return paths.length > 0 && paths.every((path) => inside.some((pattern) => matches(pattern, path)));
}

/** No regular expression: a pattern is a tenant's, and must not be able to take long. */
export function matches(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return text.length - from >= last.length && text.endsWith(last);
}

/** One of each shape that addresses have, without a name in common: a pattern for all of them is one for any address. */
const ANY_ADDRESS = ["b_c.d", 'f_g.h["j"]', "module.k.p_q.r", 'module.s["t"].module.v.w_x.y[0]'];
const ANY_ATTRIBUTES = ["l", "m_n"];

/** What no Check can find with these rules: any change of any resource, or any edit of what is still there. */
export function blindTo(rules: readonly IgnoreRule[]): "everything" | "edits" | undefined {
  const all = (action: Difference["action"]) =>
    ANY_ADDRESS.every((address) => isIgnored({ address, action, attributes: ANY_ATTRIBUTES }, rules));
  if (all("create")) return "everything";
  return all("update") ? "edits" : undefined;
}
