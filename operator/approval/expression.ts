/**
 * `unless`: an expression in CEL over a plan. Reading one is quick and bounded by its length; evaluating one is not, so
 * whoever evaluates sees to it that it can be stopped.
 */
import { type CelInput, isCelError, parse, plan } from "@bufbuild/cel";
import { cutBytes } from "../api/cut-bytes.ts";
import { expressionLibrary } from "./expression-library.ts";
import { type Complaint, complaintAbout } from "./expression-names.ts";
import type { PlanFacts } from "./plan-facts.ts";

export type Expression = ReturnType<typeof parse>;

/** The parser calls itself for each bracket that is open. */
const DEEPEST = 32;
const LONGEST_COMPLAINT = 300;

export type Compiled =
  | { readonly ok: true; readonly expression: Expression }
  | {
      readonly ok: false;
      /** Why, in words that can follow the position. */
      readonly message: string;
      readonly line: number;
      readonly column: number;
    };

/** What an expression says about a plan: yes, no, or nothing, since it failed. */
export type Answer = { readonly holds: boolean } | { readonly failed: string };

/** Finds what is wrong with an expression before any plan is there: syntax, and names that nobody offers. */
export function compileExpression(text: string): Compiled {
  const deep = tooDeepAt(text);
  if (deep !== undefined) return refusal(text, { at: deep, problem: `more than ${DEEPEST} brackets are open` });
  let expression: Expression;
  try {
    expression = parse(text);
  } catch (error) {
    return syntaxError(error);
  }
  const { funcs } = expressionLibrary();
  const complaint = complaintAbout(expression, (name) => funcs.find(name) !== undefined);
  return complaint === undefined ? { ok: true, expression } : refusal(text, complaint);
}

/** Takes as long as it takes: never call it where others wait. Throws nothing. */
export function evaluateExpression(text: string, facts: PlanFacts): Answer {
  const compiled = compileExpression(text);
  if (!compiled.ok) return { failed: compiled.message };
  try {
    const bindings: Record<string, CelInput> = { plan: facts as unknown as CelInput };
    const value = plan(expressionLibrary(), compiled.expression)(bindings);
    if (typeof value === "boolean") return { holds: value };
    if (isCelError(value)) return { failed: cutBytes(value.message, LONGEST_COMPLAINT) };
    return { failed: "its value is neither true nor false" };
  } catch (error) {
    return { failed: cutBytes(error instanceof Error ? error.message : String(error), LONGEST_COMPLAINT) };
  }
}

function tooDeepAt(text: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if ("([{".includes(text.charAt(at)) && ++depth > DEEPEST) return at;
    if (")]}".includes(text.charAt(at))) depth--;
  }
  return undefined;
}

function refusal(text: string, { at, problem }: Complaint): Compiled {
  const before = text.slice(0, at).split("\n");
  return { ok: false, message: problem, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** The parser's own message lists all that could have come instead, which helps nobody. */
function syntaxError(error: unknown): Compiled {
  const { location, found, message } = error as {
    readonly location?: { readonly start?: { readonly line: number; readonly column: number } };
    readonly found?: string;
    readonly message?: string;
  };
  const { line, column } = location?.start ?? { line: 1, column: 1 };
  if (found === "") return { ok: false, message: "the expression is not complete", line, column };
  if (found !== undefined) return { ok: false, message: `${JSON.stringify(found)} is not expected here`, line, column };
  return { ok: false, message: cutBytes(String(message ?? error), LONGEST_COMPLAINT), line, column };
}
