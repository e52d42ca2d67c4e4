import { GLOBAL_OPTIONS } from "../arguments.ts";
import type { Command, Offered, OptionSpec } from "../command.ts";

/** What belongs at the place where somebody pressed Tab. */
export interface Question {
  /** What is written so far. */
  readonly begun: string;
  /** Before the word, as in `--output=`. */
  readonly prefix: string;
  readonly wanted: Offered | "command" | "option" | "nothing";
  readonly command: Command | undefined;
  /** The first word of a command that has two. */
  readonly group: string | undefined;
  /** Arguments of the command that are there already. */
  readonly arguments: readonly string[];
}

/** `words` are those after the program's name; the last one is being written. bash makes three words of `--output=json`. */
export function questionAt(words: readonly string[], commands: readonly Command[]): Question {
  const begun = words.at(-1) === "=" ? "" : (words.at(-1) ?? "");
  const before = words.slice(0, -1).filter((word) => word !== "=");
  const { command, group, positionals, open } = readWords(before, commands);
  const base = { begun, prefix: "", command, group, arguments: positionals };
  if (open !== undefined) return { ...base, wanted: open.offers ?? "nothing" };
  const [, name, value] = /^--([^=]+)=(.*)$/.exec(begun) ?? [];
  if (name !== undefined && value !== undefined) {
    const option = optionsOf(command).find((one) => one.name === name);
    return { ...base, begun: value, prefix: `--${name}=`, wanted: option?.offers ?? "nothing" };
  }
  if (begun.startsWith("-")) return { ...base, wanted: "option" };
  if (command === undefined) return { ...base, wanted: "command" };
  return { ...base, wanted: command.arguments[positionals.length]?.offers ?? "nothing" };
}

export const optionsOf = (command: Command | undefined): readonly OptionSpec[] => [
  ...(command?.options ?? []),
  ...GLOBAL_OPTIONS,
];

/** What stands before the word: the command, its arguments, options with their values, and an option that still wants one. */
function readWords(words: readonly string[], commands: readonly Command[]) {
  const positionals: string[] = [];
  let command: Command | undefined;
  let group: string | undefined;
  let open: OptionSpec | undefined;
  for (const word of words) {
    if (open !== undefined) {
      open = undefined;
    } else if (word.startsWith("-")) {
      const [name = "", value] = word.replace(/^--?/, "").split("=");
      const option = optionsOf(command).find((one) => one.name === name || one.short === name);
      if (option?.value !== undefined && value === undefined) open = option;
    } else if (command === undefined) {
      command = commands.find(({ name }) => name === (group === undefined ? word : `${group} ${word}`));
      if (commands.some(({ name }) => name.startsWith(`${word} `))) group = word;
    } else positionals.push(word);
  }
  return { command, group, positionals, open };
}
