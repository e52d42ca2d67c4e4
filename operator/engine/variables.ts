/**
 * Resolved variables and a module's declarations become the one variable file.
 *
 * A value that came as a string may be meant as another type: JSON cannot carry an integer over 2^53, and the manifest
 * cannot carry null in a value, so both are written as strings. An engine converts "9007199254740993" to `number` and
 * "true" to `bool` by itself, exactly. Only null needs us: the string "null" becomes null where the declared type is
 * not a string (a `string` or undeclared type keeps the text).
 */
import type { ModuleDeclaration, VariableDeclaration } from "./module.ts";

export interface VariableFile {
  /** Contents of a `*.tfvars.json`, for plan. */
  readonly text: string;
  /** Contents with the ephemeral ones only, for apply; absent when there are none. */
  readonly ephemeralText?: string;
  /** Required by the module, and given by nobody: the engine need not start. */
  readonly missing: readonly VariableDeclaration[];
  /** Given, but not declared: left out, since each would cost a warning. */
  readonly unused: readonly string[];
}

export function variableFile(
  values: ReadonlyMap<string, unknown>,
  module: Pick<ModuleDeclaration, "variables">,
): VariableFile {
  const declared = new Map(module.variables.map((variable) => [variable.name, variable]));
  const used = [...values].flatMap(([name, value]): [VariableDeclaration, unknown][] => {
    const declaration = declared.get(name);
    return declaration === undefined ? [] : [[declaration, meant(value, declaration)]];
  });
  const ephemeral = used.filter(([declaration]) => declaration.ephemeral);
  return {
    text: document(used),
    ...(ephemeral.length === 0 ? {} : { ephemeralText: document(ephemeral) }),
    missing: module.variables.filter(({ name, hasDefault }) => !hasDefault && !values.has(name)),
    unused: [...values.keys()].filter((name) => !declared.has(name)).sort(),
  };
}

/** The sentence for a person, naming each variable and where it is declared. */
export function missingVariablesMessage(missing: readonly VariableDeclaration[]): string {
  const list = missing.slice(0, 10).map(({ name, file, line }) => `${name} (${file}:${line})`);
  const rest = missing.length > list.length ? ` and ${missing.length - list.length} more` : "";
  const [noun, verb] = missing.length === 1 ? ["variable", "has"] : ["variables", "have"];
  return `the module's required ${noun} ${list.join(", ")}${rest} ${verb} no value: add ${missing.length === 1 ? "it" : "them"} to spec.variables or to the component's variables`;
}

function meant(value: unknown, { type }: VariableDeclaration): unknown {
  if (value !== "null") return value;
  return type === undefined || type === "string" || type === "any" ? value : null;
}

/** Sorted, so that the same inputs give the same bytes; a name like `__proto__` is a name like any other. */
function document(entries: readonly [VariableDeclaration, unknown][]): string {
  const sorted = [...entries].sort(([a], [b]) => (a.name < b.name ? -1 : 1));
  const lines = sorted.map(([{ name }, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return lines.length === 0 ? "{}\n" : `{\n${lines.join(",\n")}\n}\n`;
}
