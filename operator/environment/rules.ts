import type { ApprovalRules, RunRules } from "../api/approval.ts";
import type { Environment } from "../api/environment.ts";
import type { OwnRules } from "../api/own-rules.ts";
import type { Operation } from "../api/run.ts";
import { type Compiled, compileExpression } from "../approval/expression.ts";
import { DEFAULT_EXPIRY } from "../approval/tally.ts";
import { isToldLost } from "./lost-state.ts";
import { type Answer, type Verdict, verdictOf } from "./verdict.ts";

/**
 * The rules in force for a Run that is made now. `own` are the component's own ones; of a component whose declaration is gone, those that
 * were declared last: removing it from the spec must not loosen them. They take the Environment's place, and patterns of both protect.
 */
export function rulesFor({ spec }: Environment, own: OwnRules, operation: Operation): RunRules {
  const protect = [...new Set([...(spec.protect ?? []), ...(own.protect ?? [])])];
  const maxDeletes = own.maxDeletes ?? spec.maxDeletes;
  return {
    ...approvalFor(own.approval ?? spec.approval, operation),
    ...(protect.length === 0 ? {} : { protect }),
    ...(maxDeletes === undefined ? {} : { maxDeletes }),
  };
}

function approvalFor(rules: ApprovalRules | undefined, operation: Operation): Pick<RunRules, "approval"> {
  if (rules === undefined) return {};
  const { required, unless } = operation === "Destroy" ? (rules.destroy ?? rules) : rules;
  const stricter = operation === "Destroy" ? undefined : stricterForDestroying(rules);
  if (required === 0 && stricter === undefined) return {};
  const expiresAfter = rules.planExpiresAfter;
  return {
    approval: {
      required,
      ...(unless === undefined || required === 0 ? {} : { unless }),
      expiresAfter,
      ...(stricter === undefined ? {} : { destroy: stricter }),
    },
  };
}

/** How many people must agree, and to what they need not. */
type Rule = Pick<ApprovalRules, "required" | "unless">;

/** For a plan that destroys and does nothing else, without being a destroy: nothing where the ordinary rule says as much. */
function stricterForDestroying({ required, unless, destroy }: ApprovalRules): Rule | undefined {
  if (destroy === undefined || destroy.required === 0) return undefined;
  const both = bothOf({ required, unless }, destroy);
  return both.required === required && both.unless === unless ? undefined : both;
}

/** Met only where both are: the greater number, and nobody only where each that asks anybody exempts the plan. */
function bothOf(...rules: readonly [Rule, Rule]): Rule {
  const required = Math.max(...rules.map((rule) => rule.required));
  const exemptions = rules.filter((rule) => rule.required > 0).map(({ unless }) => unless);
  const texts = [...new Set(exemptions)].filter((text) => text !== undefined);
  if (texts.length === 0 || exemptions.includes(undefined)) return { required };
  return { required, unless: texts.length === 1 ? texts.join() : texts.map(bracketed).join(" && ") };
}

/** Behind a comment the bracket has a line of its own. */
const bracketed = (text: string): string => (text.includes("//") ? `(${text}\n)` : `(${text})`);

/** The same rules, for a plan that is shown to a person, also where nobody would have to be asked for such a plan. */
export function askingSomebody(rules: RunRules): RunRules {
  const { required = 0, expiresAfter = DEFAULT_EXPIRY, destroy } = rules.approval ?? {};
  const atLeast = Math.max(required, 1);
  const forDestroying = (destroy?.required ?? 0) > atLeast ? destroy?.required : undefined;
  return {
    ...rules,
    approval: {
      required: atLeast,
      expiresAfter,
      ...(forDestroying === undefined ? {} : { destroy: { required: forDestroying } }),
    },
  };
}

/** Somebody else than the one who wrote the spec has to agree. */
export function asksPeople({ approval }: RunRules): boolean {
  return (approval?.required ?? 0) > 0;
}

/**
 * An expression that nobody can evaluate is told when it is written, and not at the first plan that it would have been asked about: nothing
 * is begun before. Each text is looked at once.
 */
export function withUsableRules({ spec }: Environment): (verdict: Verdict) => Verdict {
  const known = new Map<string, Compiled>();
  const compile = (text: string): Compiled => {
    const compiled = known.get(text) ?? compileExpression(text);
    known.set(text, compiled);
    return compiled;
  };
  return (verdict) => {
    const own = spec.components.find(({ name }) => name === verdict.name)?.approval;
    const path = own === undefined ? "spec.approval" : `spec.components[${verdict.name}].approval`;
    const { unless, destroy } = own ?? spec.approval ?? {};
    const trouble =
      troubleWith(unless, `${path}.unless`, compile) ?? troubleWith(destroy?.unless, `${path}.destroy.unless`, compile);
    // A loss that nobody tells any more is none in a deletion.
    const stands = verdict.past.open !== undefined || isToldLost(verdict);
    return trouble === undefined || stands ? verdict : verdictOf(verdict.past, trouble);
  };
}

function troubleWith(text: string | undefined, path: string, compile: (text: string) => Compiled): Answer | undefined {
  const compiled = text === undefined ? undefined : compile(text);
  if (compiled === undefined || compiled.ok) return undefined;
  const { line, column, message } = compiled;
  return {
    state: "Stalled",
    reason: "ApprovalExpressionInvalid",
    message: `${path}:${line}:${column}: ${message}`,
  };
}
