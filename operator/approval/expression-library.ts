/**
 * The functions that expressions can use. A thread is ended when its heap is full, and that is too late for a single value
 * which is larger than what is left of it: the whole process ends then. So no text grows that long.
 */
import { type CelEnv, type CelFunc, celEnv, celError } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";

/** Characters of a text that an expression makes. */
export const LONGEST_TEXT = 256 * 1024;

export function expressionLibrary(): CelEnv {
  const sums = celEnv().funcs.find("_+_") ?? [];
  return celEnv({ funcs: [...sums, ...strings].map(bounded) });
}

type Call = CelFunc["call"];

function bounded(func: CelFunc): CelFunc {
  const call: Call = (id, target, args) => {
    if (func.name === "replace" && mayGrow(target, args)) return tooLong(id);
    const result = func.call(id, target, args);
    return typeof result === "string" && result.length > LONGEST_TEXT ? tooLong(id) : result;
  };
  return Object.assign(Object.create(func), { call });
}

/** It writes all of its text out with each replacement; the others only put it together from parts, and then it can be measured. */
function mayGrow(text: Parameters<Call>[1], [, by, times]: Parameters<Call>[2]): boolean {
  if (typeof text !== "string" || typeof by !== "string") return false;
  return text.length + by.length * Number(times ?? text.length) > LONGEST_TEXT;
}

function tooLong(id: number) {
  return celError(`a text has more than ${LONGEST_TEXT} characters`, BigInt(id));
}
