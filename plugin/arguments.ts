import { parseArgs } from "node:util";
import type { Command, OptionSpec, Said } from "./command.ts";

/** The command line is not understood; says what is. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: "namespace", short: "n", value: "NAMESPACE", about: "namespace; otherwise that of the context" },
  { name: "context", value: "CONTEXT", about: "context of the kubeconfig; otherwise the current one" },
  { name: "kubeconfig", value: "FILE", about: "kubeconfig; otherwise $KUBECONFIG or ~/.kube/config" },
  { name: "help", short: "h", about: "what a command does, and its options" },
];

/** Checks what was said against the tables. Throws UsageError. */
export function understand(args: readonly string[], command: Command): Said {
  const options = [...GLOBAL_OPTIONS, ...command.options];
  const { values, positionals } = parsed(spelledOut(args, options), options);
  const said = saidOf(values, positionals);
  if (!said.has("help")) checkArguments(command, positionals);
  for (const option of options) checkChoice(option, said);
  return said;
}

/** The command that the first words name, among options that may stand before it. Some have names of two words. */
export function splitCommand(args: readonly string[], commands: readonly Command[]) {
  const { tokens } = parseArgs({
    args: spelledOut(args, GLOBAL_OPTIONS),
    options: tableOf(GLOBAL_OPTIONS),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const [first, second] = tokens.filter((token) => token.kind === "positional");
  const named = (name: string) => commands.find((command) => command.name === name);
  const without = (...taken: readonly (number | undefined)[]) => args.filter((_, index) => !taken.includes(index));
  const long = named(`${first?.value} ${second?.value}`);
  if (long !== undefined) return { command: long, rest: without(first?.index, second?.index) };
  return { word: first?.value, command: named(first?.value ?? ""), rest: without(first?.index) };
}

/** For half-written lines: global options that have a value are heard, and everything is an argument. */
export function hear(args: readonly string[]): Said {
  const { values } = parseArgs({
    args: spelledOut(args, GLOBAL_OPTIONS),
    options: tableOf(GLOBAL_OPTIONS),
    strict: false,
    allowPositionals: true,
  });
  return { ...saidOf(values as Values, args), has: () => false };
}

/** `-n=x` means to kubectl what `-n x` does; to Node the value would be `=x`. */
function spelledOut(args: readonly string[], options: readonly OptionSpec[]): string[] {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  return args.map((arg, index) => {
    const [, short, value] = /^-([A-Za-z])=(.*)$/s.exec(arg) ?? [];
    const option = short && options.find((one) => one.short === short && one.value !== undefined);
    return !option || index > end ? arg : `--${option.name}=${value}`;
  });
}

type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

function parsed(args: readonly string[], options: readonly OptionSpec[]) {
  try {
    return parseArgs({ args: [...args], options: tableOf(options), strict: true, allowPositionals: true }) as {
      values: Values;
      positionals: string[];
    };
  } catch (error) {
    // Node's own sentence names the option; what follows it is about `--`.
    const message = error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error);
    throw new UsageError(`${message}.`);
  }
}

function tableOf(options: readonly OptionSpec[]) {
  return Object.fromEntries(
    options.map(({ name, short, value, multiple }) => [
      name,
      {
        type: value === undefined ? ("boolean" as const) : ("string" as const),
        ...(short === undefined ? {} : { short }),
        ...(multiple ? { multiple } : {}),
      },
    ]),
  );
}

function saidOf(values: Values, positionals: readonly string[]): Said {
  const value = (option: string) => {
    const given = values[option];
    return typeof given === "string" ? given : undefined;
  };
  return {
    arguments: positionals,
    argument(index) {
      const given = positionals[index];
      if (given === undefined) throw new UsageError("an argument is missing");
      return given;
    },
    has: (option) => values[option] === true,
    value,
    values(option) {
      const given = values[option];
      return Array.isArray(given) ? given.map(String) : [value(option)].filter((one) => one !== undefined);
    },
  };
}

function checkArguments(command: Command, given: readonly string[]): void {
  const missing = command.arguments.slice(given.length).find(({ optional }) => !optional);
  if (missing !== undefined) throw new UsageError(`${command.name} needs ${missing.name}`);
  const extra = given[command.arguments.length];
  if (extra !== undefined) throw new UsageError(`${command.name} does not know what to do with "${extra}"`);
}

function checkChoice({ name, offers }: OptionSpec, said: Said): void {
  if (offers === undefined || typeof offers === "string") return;
  for (const given of said.values(name)) {
    if (!offers.includes(given)) throw new UsageError(`--${name} is one of ${offers.join(", ")}, not "${given}"`);
  }
}
