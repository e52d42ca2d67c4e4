import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "./mutant.ts";
import type { Scratch } from "./scratch.ts";

export type Finding =
  | { readonly type: "caught"; readonly file: string; readonly test: string; readonly how: string }
  | { readonly type: "survived" };

const LONGEST_MS = 5 * 60_000;

/** Spoils the copy and runs the mutant's tests, one file after the other, until one of them notices. */
export async function tried({ edits, tests }: Mutant, scratch: Scratch): Promise<Finding> {
  return scratch.spoilt(edits, async () => {
    for (const file of tests) {
      const finding = await run(scratch.folder, file);
      if (finding.type === "caught") return finding;
    }
    return { type: "survived" };
  });
}

interface Report {
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[];
}

/** One test file in a process of its own. */
export async function run(folder: string, file: string): Promise<Finding> {
  const output = join(folder, "mutant-report.json");
  rmSync(output, { force: true });
  const args = ["--bail", "--reporter", "json", "--reporter-option", `output=${output}`, file];
  const ended = await ending(folder, args);
  const report = reportIn(output);
  if (report === undefined)
    return { type: "caught", file, test: "the file itself", how: ended.late ? "it hangs" : ended.text.slice(-300) };
  const [failure] = report.failures;
  if (failure === undefined) return { type: "survived" };
  return { type: "caught", file, test: failure.fullTitle, how: (failure.err.message ?? "").split("\n")[0] ?? "" };
}

function ending(folder: string, args: readonly string[]): Promise<{ readonly late: boolean; readonly text: string }> {
  const child = spawn(join(folder, "node_modules/.bin/mocha"), args, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => printed.push(chunk));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  }, LONGEST_MS);
  return new Promise((resolve) => {
    child.once("close", () => {
      clearTimeout(timer);
      resolve({ late, text: Buffer.concat(printed).toString("utf8") });
    });
  });
}

function reportIn(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return undefined;
  }
}
