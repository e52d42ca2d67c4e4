import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COUNTS_OPTION, type Counts } from "./reporter.ts";

export interface MochaRun {
  readonly root: string;
  readonly files: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly deadlineMinutes: number;
  /** `stream`: as it comes. `atEnd`: in one piece, so that processes do not talk into each other. */
  readonly output: "stream" | "atEnd" | "none";
  /** Ends the run with all that it started, or keeps it from beginning. */
  readonly signal: AbortSignal;
}

export interface MochaResult extends Counts {
  /** Why the run does not count as it stands: it crashed, hung, or held no test. */
  readonly trouble?: string;
}

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] };

/** A failure that no test tells of. */
export function failure(trouble: string): MochaResult {
  return { ...NOTHING, failed: 1, trouble };
}

/** Runs test files in one mocha process of their own. Never rejects: trouble is a failure, and counts as one. */
export async function runMocha(run: MochaRun): Promise<MochaResult> {
  if (run.signal.aborted) return failure("it was not run: the tests were interrupted");
  const folder = mkdtempSync(join(tmpdir(), "terrarium-test-"));
  const countsFile = join(folder, "counts.json");
  try {
    const ending = await start(run, countsFile);
    return judged(ending, readCounts(countsFile), run.deadlineMinutes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Ending =
  | { readonly type: "exit"; readonly code: number | null; readonly signal: string | null }
  | { readonly type: "deadline" };

function start(run: MochaRun, countsFile: string): Promise<Ending> {
  const { root, files, environment, deadlineMinutes, output, signal: interruption } = run;
  const reporter = [
    "--reporter",
    join(root, "tools/test/reporter.ts"),
    "--reporter-option",
    `${COUNTS_OPTION}=${countsFile}`,
  ];
  const child = spawn(join(root, "node_modules/.bin/mocha"), [...reporter, "--forbid-only", ...files], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", output === "stream" ? "inherit" : "pipe", output === "stream" ? "inherit" : "pipe"],
    // A group of its own, so that whatever a hanging test has started can be ended with it.
    detached: true,
  });
  const interrupt = () => endGroup(child);
  interruption.addEventListener("abort", interrupt, { once: true });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => printed.push(chunk));
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      endGroup(child);
    }, deadlineMinutes * 60_000);
    const end = (ending: Ending) => {
      clearTimeout(timer);
      interruption.removeEventListener("abort", interrupt);
      if (output === "atEnd") process.stdout.write(Buffer.concat(printed));
      resolve(late ? { type: "deadline" } : ending);
    };
    child.once("error", (error) => end({ type: "exit", code: null, signal: error.message }));
    child.once("close", (code, signal) => end({ type: "exit", code, signal }));
  });
}

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself in the meantime.
  }
}

function readCounts(file: string): Counts | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Counts;
  } catch {
    return undefined;
  }
}

/** What an ending and the counts, where there are some, come to. */
export function judged(ending: Ending, counts: Counts | undefined, deadlineMinutes: number): MochaResult {
  const trouble = troubleOf(ending, counts, deadlineMinutes);
  const result = counts ?? NOTHING;
  return trouble === undefined ? result : { ...result, failed: result.failed + 1, trouble };
}

function troubleOf(ending: Ending, counts: Counts | undefined, deadlineMinutes: number): string | undefined {
  if (ending.type === "deadline") return `it did not end within ${deadlineMinutes} minutes and was killed`;
  if (counts === undefined) return `mocha crashed (${ending.signal ?? `exit ${ending.code}`})`;
  if (counts.passed + counts.failed + counts.skipped === 0) return "it holds no test";
  if (counts.failed === 0 && ending.code !== 0)
    return `mocha ended with ${ending.signal ?? ending.code} after its tests`;
  return undefined;
}
