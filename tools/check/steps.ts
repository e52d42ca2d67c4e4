import { spawn } from "node:child_process";
import { join } from "node:path";
import { boundaryViolations, type Violation } from "./boundaries.ts";
import { checkedFiles, sourceFiles } from "./sources.ts";
import { wordViolations } from "./words.ts";

/** One question about the checkout. `ask` gives what is wrong, or nothing. */
export interface Check {
  readonly name: string;
  readonly ask: () => Promise<string | undefined>;
}

export function checksOf(root: string): readonly Check[] {
  const program = (name: string) => join(root, "node_modules/.bin", name);
  const run = (name: string, ...args: readonly string[]) => output(program(name), args, root);
  return [
    { name: "format and lint", ask: () => run("biome", "check", "--error-on-warnings", "--max-diagnostics=50", ".") },
    { name: "types", ask: () => run("tsc", "--noEmit") },
    { name: "generated files", ask: () => run("node", "tools/generate.ts", "--check") },
    { name: "import boundaries", ask: async () => listed(boundaryViolations(sourceFiles(root, checkedFiles(root)))) },
    { name: "words", ask: async () => listed(wordViolations(root, checkedFiles(root))) },
  ];
}

function listed(violations: readonly Violation[]): string | undefined {
  if (violations.length === 0) return undefined;
  return violations.map(({ path, line, problem }) => `${path}:${line} ${problem}`).join("\n");
}

/** What a program printed when it was not content. */
async function output(command: string, args: readonly string[], cwd: string): Promise<string | undefined> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      printed += text;
    });
  }
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`${command} does not start: ${error.message}`));
    child.once("close", (code) => resolve(code === 0 ? undefined : printed.trim() || `${command} ended with ${code}`));
  });
}
