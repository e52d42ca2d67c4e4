import { GLOBAL_OPTIONS } from "./arguments.ts";
import type { Command, OptionSpec } from "./command.ts";
import { EXIT_MEANINGS } from "./exit-codes.ts";

const PROGRAM = "kubectl terrarium";

export function overview(commands: readonly Command[]): string {
  const listed = commands.filter(({ hidden }) => !hidden);
  return [
    "Environments of Terrarium: what they are doing, what waits for whom, and what people say to them.",
    "",
    `Usage: ${PROGRAM} COMMAND [ARGUMENTS] [OPTIONS]`,
    "",
    "Commands:",
    ...columns(listed.map(({ name, summary }) => [name, summary])),
    "",
    "Options of every command:",
    ...columns(GLOBAL_OPTIONS.map(optionLine)),
    "",
    "Exit codes:",
    ...columns(EXIT_MEANINGS.map(([code, meaning]) => [`${code}`, meaning])),
    "",
    `${PROGRAM} COMMAND --help tells more. It does what you may do: your kubeconfig, your rights, nothing else.`,
  ].join("\n");
}

export function usageOf({ name, arguments: args, options }: Command): string {
  const told = args.map((argument) => (argument.optional ? `[${argument.name}]` : argument.name));
  return [PROGRAM, name, ...told, ...(options.length === 0 ? [] : ["[OPTIONS]"])].join(" ");
}

export function helpOf(command: Command): string {
  const { summary, details = [], options } = command;
  return [
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    "",
    `Usage: ${usageOf(command)}`,
    ...(details.length === 0 ? [] : ["", ...details]),
    ...(options.length === 0 ? [] : ["", "Options:", ...columns(options.map(optionLine))]),
    "",
    "Options of every command:",
    ...columns(GLOBAL_OPTIONS.map(optionLine)),
  ].join("\n");
}

function optionLine({ name, short, value, about }: OptionSpec): readonly [string, string] {
  const dash = short === undefined ? "    " : `-${short}, `;
  return [`${dash}--${name}${value === undefined ? "" : ` ${value}`}`, about];
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`);
}
