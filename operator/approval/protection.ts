/** What a plan may not do, whoever approves it. */
import { MASK } from "../engine/mask.ts";
import { isCut } from "../engine/plan-changes.ts";
import type { PlannedChange, PlanReport } from "../gateway/protocol.ts";

export interface Limits {
  readonly protect?: readonly string[] | undefined;
  readonly maxDeletes?: number | undefined;
}

export interface Offence {
  readonly reason: "Protected" | "TooManyDeletes";
  readonly message: string;
}

const NAMED = 3;

/** The first rule that a plan breaks, or undefined. */
export function offenceOf(plan: PlanReport, { protect = [], maxDeletes }: Limits): Offence | undefined {
  return touchesProtected(plan, protect) ?? destroysTooMuch(plan, maxDeletes);
}

function touchesProtected({ counts, changes = [] }: PlanReport, protect: readonly string[]): Offence | undefined {
  if (protect.length === 0) return undefined;
  const destroyed = changes.filter(({ action }) => action === "delete" || action === "replace");
  const matches = destroyed.map((change) => ({ change, by: protectedBy(change, protect) })).filter(({ by }) => by);
  const [first] = matches;
  if (first !== undefined) {
    const names = matches.slice(0, NAMED).map(({ change }) => `${nameOf(change)} (${change.action})`);
    const more = matches.length > NAMED ? ` and ${matches.length - NAMED} more` : "";
    return {
      reason: "Protected",
      message: `the plan destroys what protect keeps: ${names.join(", ")}${more}; ${first.by} keeps the first: take it out of protect to allow this`,
    };
  }
  // The list has what is destroyed first: it is complete for this question where it has as many as were counted.
  const unlisted = counts.delete + counts.replace - destroyed.length;
  if (unlisted <= 0) return undefined;
  return {
    reason: "Protected",
    message: `the plan destroys ${unlisted} resources more than could be listed, and any of them may be under protect: make the change in smaller steps`,
  };
}

const nameOf = ({ address, previousAddress }: PlannedChange): string =>
  previousAddress === undefined ? address : `${address}, until now ${previousAddress}`;

function destroysTooMuch({ counts }: PlanReport, maxDeletes: number | undefined): Offence | undefined {
  const destroyed = counts.delete + counts.replace;
  if (maxDeletes === undefined || destroyed <= maxDeletes) return undefined;
  return {
    reason: "TooManyDeletes",
    message: `the plan destroys ${destroyed} resources (${counts.delete} to delete, ${counts.replace} to replace) and maxDeletes is ${maxDeletes}: raise it to allow this`,
  };
}

/** The pattern that keeps a resource, by the name that it has now or by the one that the plan gives it; or undefined. */
export function protectedBy(
  { address, previousAddress, type }: Pick<PlannedChange, "address" | "previousAddress" | "type">,
  protect: readonly string[],
): string | undefined {
  const names = [
    { address, type },
    ...(previousAddress === undefined ? [] : [{ address: previousAddress, type: typeIn(previousAddress) }]),
  ];
  return protect.find((pattern) => names.some((name) => keeps(pattern, name)));
}

function keeps(pattern: string, { address, type }: { readonly address: string; readonly type: string }): boolean {
  if (isTypePattern(pattern)) return matches(pattern, type);
  if (!isWhole(address)) return true;
  // A resource of that name, all of its instances, and all that is in a module of that name.
  return ["", ".*", "[*"].some((inside) => matches(`${pattern}${inside}`, address));
}

/** `aws_db_instance` of `module.data["a.b"].aws_db_instance.main["c.d"]`: a move may change the type, too. */
const typeIn = (address: string): string => address.replace(INSTANCE_KEYS, "").split(".").at(-2) ?? "";

const INSTANCE_KEYS = /\["(?:[^"\\]|\\.)*"\]|\[\d+\]/g;

/** Of an address with a part that is hidden or cut off nobody can tell whether it is protected. */
function isWhole(address: string): boolean {
  return !address.includes(MASK) && !isCut(address);
}

/** An address always has a dot, and a type never has one. */
function isTypePattern(pattern: string): boolean {
  return !pattern.includes(".");
}

/** `*` is any text; everything else is meant as it is written. No regular expression: this takes no longer for a nasty pattern. */
function matches(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return at <= end;
}
