/** Are all names and values in an expression ones that it can use? CEL itself asks only when it comes across them. */
import type { Expression } from "./expression.ts";
import { CHANGE_FIELDS, PLAN_FIELDS } from "./plan-facts.ts";

type Expr = NonNullable<Expression["expr"]>;

/** What is known of a value before there is one. */
type Shape = "plan" | "changes" | "change" | "other";

/** Offset in the text, and what is wrong there. */
export interface Complaint {
  readonly at: number;
  readonly problem: string;
}

/** Operators that are no functions of the library. */
const OPERATORS = new Set(["_[_]", "_?_:_", "_&&_", "_||_", "@not_strictly_false", "@in"]);

class Unusable extends Error {
  readonly id: bigint;
  constructor(id: bigint, problem: string) {
    super(problem);
    this.id = id;
  }
}

/** The first name that means nothing, or value that is not to be had; or undefined. */
export function complaintAbout(
  { expr, sourceInfo }: Expression,
  isFunction: (name: string) => boolean,
): Complaint | undefined {
  try {
    look(expr, new Map([["plan", "plan"]]));
    return undefined;
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return { at: sourceInfo?.positions[String(error.id)] ?? 0, problem: error.message };
  }

  function look(expr: Expr | undefined, scope: ReadonlyMap<string, Shape>): Shape {
    const kind = expr?.exprKind;
    if (expr === undefined || kind === undefined) return "other";
    const all = (...inside: readonly (Expr | undefined)[]): Shape => {
      for (const one of inside) look(one, scope);
      return "other";
    };
    switch (kind.case) {
      case "constExpr":
        if (kind.value.constantKind.case === "bytesValue") throw noBytes(expr.id);
        return "other";
      case "identExpr":
        return variable(expr.id, kind.value.name, scope);
      case "selectExpr":
        return field(expr.id, look(kind.value.operand, scope), kind.value.field);
      case "callExpr":
        return called(expr.id, kind.value.function, look(kind.value.target, scope), all(...kind.value.args));
      case "listExpr":
        return all(...kind.value.elements);
      case "structExpr": {
        if (kind.value.messageName !== "") throw new Unusable(expr.id, `there is no type ${kind.value.messageName}`);
        const keys = kind.value.entries.map(({ keyKind }) => (keyKind.case === "mapKey" ? keyKind.value : undefined));
        return all(...keys, ...kind.value.entries.map(({ value }) => value));
      }
      case "comprehensionExpr": {
        const { iterRange, iterVar, iterVar2, accuVar, accuInit, loopCondition, loopStep, result } = kind.value;
        const item = look(iterRange, scope) === "changes" ? "change" : "other";
        look(accuInit, scope);
        const inside = new Map([...scope, [accuVar, "other"], [iterVar2, "other"], [iterVar, item]] as const);
        for (const part of [loopCondition, loopStep, result]) look(part, inside);
        return "other";
      }
      default:
        return "other";
    }
  }

  function called(id: bigint, name: string, _target: Shape, _arguments: Shape): Shape {
    if (name === "bytes") throw noBytes(id);
    if (!OPERATORS.has(name) && !isFunction(name)) throw new Unusable(id, `there is no function ${name}`);
    return "other";
  }
}

function variable(id: bigint, name: string, scope: ReadonlyMap<string, Shape>): Shape {
  const shape = scope.get(name);
  if (shape === undefined) throw new Unusable(id, `there is nothing called ${name}: an expression sees plan`);
  return shape;
}

function field(id: bigint, of: Shape, name: string): Shape {
  switch (of) {
    case "plan":
      if (!Object.hasOwn(PLAN_FIELDS, name)) throw noField(id, "plan", name, PLAN_FIELDS);
      return name === "changes" ? "changes" : "other";
    case "change":
      if (!Object.hasOwn(CHANGE_FIELDS, name)) throw noField(id, "a change", name, CHANGE_FIELDS);
      return "other";
    case "changes":
      throw new Unusable(id, `plan.changes is a list and has no ${name}`);
    case "other":
      return "other";
  }
}

/** What bounds the memory of an expression is the heap of its thread, and bytes are kept outside of it. */
function noBytes(id: bigint): Unusable {
  return new Unusable(id, "there are no bytes in a plan: use a string");
}

function noField(id: bigint, what: string, name: string, fields: object): Unusable {
  return new Unusable(id, `${what} has no ${name}: it has ${Object.keys(fields).join(", ")}`);
}
