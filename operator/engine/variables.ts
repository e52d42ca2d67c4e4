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
  /** Given for whoever declares it, and not declared here: left out, since each would cost a warning. */
  readonly unused: readonly string[];
  /** Given for this very module, which does not declare it: a name that is misspelt somewhere. */
  readonly undeclared: readonly string[];
}

export function variableFile(
  values: ReadonlyMap<string, unknown>,
  module: Pick<ModuleDeclaration, "variables">,
  own: readonly string[] = [],
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
    unused: [...values.keys()].filter((name) => !declared.has(name) && !own.includes(name)).sort(),
    undeclared: own.filter((name) => !declared.has(name)),
  };
}

/** The sentence for a person, with what the module declares instead: the right spelling is likely among it. */
export function undeclaredVariablesMessage(
  undeclared: readonly string[],
  { variables }: Pick<ModuleDeclaration, "variables">,
): string {
  const [noun, them] = undeclared.length === 1 ? ["variable", "it"] : ["variables", "them"];
  const declared = variables.length === 0 ? "none" : shortList(variables.map(({ name }) => name).sort());
  return `the component gives the ${noun} ${shortList(undeclared)}, and its module declares no such; it declares ${declared}. Correct the name, or declare ${them}`;
}

/** The sentence for a person, naming each variable and where it is declared. */
export function missingVariablesMessage(missing: readonly VariableDeclaration[]): string {
  const list = shortList(missing.map(({ name, file, line }) => `${name} (${file}:${line})`));
  const [noun, verb] = missing.length === 1 ? ["variable", "has"] : ["variables", "have"];
  return `the module's required ${noun} ${list} ${verb} no value: add ${missing.length === 1 ? "it" : "them"} to spec.variables or to the component's variables`;
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 10);
  const rest = names.length > shown.length ? ` and ${names.length - shown.length} more` : "";
  return shown.join(", ") + rest;
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
