import { stringify } from "yaml";
import type { Said } from "./command.ts";
import type { Terminal } from "./terminal.ts";
import { coloured, type Paint, plain } from "./view/text.ts";

export const paintOf = ({ colours }: Terminal): Paint => (colours ? coloured : plain);

/** As text, or as the data that the text is made of where `-o` asks for it. */
export function printed(said: Said, data: unknown, lines: () => readonly string[]): string {
  switch (said.value("output")) {
    case "json":
      return JSON.stringify(data, undefined, 2);
    case "yaml":
      return stringify(data, { lineWidth: 0 }).trimEnd();
    default:
      return lines().join("\n");
  }
}
