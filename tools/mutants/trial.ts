import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { JourneyMutant, Mutant } from "./mutant.ts";
import type { Scratch } from "./scratch.ts";

export type Finding =
  | { readonly type: "caught"; readonly file: string; readonly test: string; readonly how: string }
  | { readonly type: "survived" };

/** The seeded edit does not even run, or the file itself is broken: no test has noticed anything. */
export class NotLoaded extends Error {
  override readonly name = "NotLoaded";
  constructor(file: string, printed: string) {
    super(`${file} does not load, or ends its own process:\n${printed}`);
  }
}

/** How one test file is run. */
interface Manner {
  readonly longestMs: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const QUICK: Manner = { longestMs: 5 * 60_000 };

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

/**
 * Spoils the copy, brings it to the cluster, and runs the journey of the mutant's row; without edits, what the journey does by
 * itself. Throws where the spoilt operator could not even be installed: then no journey has noticed anything.
 */
export async function travelled(
  { edits, tests, named }: JourneyMutant,
  scratch: Scratch,
  cluster: string,
): Promise<Finding> {
  const env = { TERRARIUM_TEST_CLUSTER: cluster };
  const manner: Manner = { longestMs: 20 * 60_000, args: ["--fgrep", named], env };
  return scratch.spoilt(edits, async () => {
    const finding = await run(scratch.folder, tests[0] ?? "", manner);
    if (finding.type === "caught" && !finding.test.includes(named))
      throw new Error(`the journey did not begin: ${finding.test}: ${finding.how}`);
    return finding;
  });
}

interface Report {
  readonly tests: readonly object[];
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[];
}

/** One test file in a process of its own. Throws where none of its tests came to an end, unless they hang. */
export async function run(folder: string, file: string, manner: Manner = QUICK): Promise<Finding> {
  const output = join(folder, "mutant-report.json");
  rmSync(output, { force: true });
  const args = ["--bail", "--reporter", "json", "--reporter-option", `output=${output}`, ...(manner.args ?? []), file];
  const ended = await ending(folder, args, manner);
  const report = reportIn(output);
  if (report === undefined && ended.late) return { type: "caught", file, test: "the file itself", how: "it hangs" };
  if (report === undefined) throw new NotLoaded(file, ended.text.slice(-300));
  if (report.tests.length === 0) throw new Error(`${file} has no test of that name: ${manner.args?.join(" ")}`);
  const [failure] = report.failures;
  if (failure === undefined) return { type: "survived" };
  return { type: "caught", file, test: failure.fullTitle, how: (failure.err.message ?? "").split("\n")[0] ?? "" };
}

function ending(
  folder: string,
  args: readonly string[],
  { longestMs, env = {} }: Manner,
): Promise<{ readonly late: boolean; readonly text: string }> {
  const child = spawn(join(folder, "node_modules/.bin/mocha"), args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => printed.push(chunk));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  }, longestMs);
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
