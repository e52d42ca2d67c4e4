import { spawn } from "node:child_process";
import { once } from "node:events";

/** How one git process ended. */
export interface GitExit {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface GitCall {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Kills git and everything that it started. */
  readonly signal: AbortSignal;
  /** More on stdout ends the process; 4 MiB unless told. */
  readonly maxOutputBytes?: number;
  /** Address space of each process: git takes an answer into memory as a whole, and a few kilobytes may unpack to gigabytes. */
  readonly maxMemoryBytes: number;
}

export class GitOutputTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`git printed more than ${maxBytes} bytes`);
    this.name = "GitOutputTooLarge";
  }
}

/** With which prlimit ends when there is no such program. */
const NOT_FOUND = 127;

const DEFAULT_MAX_OUTPUT = 4 * 1024 * 1024;
/** The first lines name the failure; a hostile server may send any number of them. */
const MAX_STDERR = 64 * 1024;

/** Runs git without a shell, in a process group of its own. Throws the signal's reason when it aborts. */
export async function runGit(call: GitCall): Promise<GitExit> {
  call.signal.throwIfAborted();
  const maxOutput = call.maxOutputBytes ?? DEFAULT_MAX_OUTPUT;
  const child = spawn("prlimit", [`--as=${call.maxMemoryBytes}`, "git", ...call.args], {
    cwd: "/",
    env: { ...call.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let failure: unknown;
  const kill = (reason: unknown): void => {
    failure ??= reason;
    killGroup(child.pid);
  };
  const abort = (): void => kill(call.signal.reason);
  call.signal.addEventListener("abort", abort, { once: true });

  const stdout = collect(child.stdout, maxOutput, () => kill(new GitOutputTooLarge(maxOutput)));
  const stderr = collect(child.stderr, MAX_STDERR, () => {});
  try {
    const [code] = (await once(child, "close").catch(explainMissing)) as [number | null];
    if (failure !== undefined) throw failure;
    if (code === NOT_FOUND) throw missing("git");
    return { code, stdout: stdout(), stderr: stderr().toString("utf8") };
  } finally {
    call.signal.removeEventListener("abort", abort);
  }
}

function explainMissing(error: unknown): never {
  throw (error as NodeJS.ErrnoException).code === "ENOENT" ? missing("prlimit", error) : error;
}

function missing(program: string, cause?: unknown): Error {
  const sentence = `the program ${program} is not installed where this process runs: use the project's own image`;
  return new Error(sentence, { cause });
}

/** git leaves the network to a child of its own, which would go on alone. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Keeps the first `max` bytes, reads on so that nobody blocks, and says once when there were more. */
function collect(stream: NodeJS.ReadableStream, max: number, onOverflow: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    const room = max - size;
    if (room > 0) chunks.push(chunk.subarray(0, room));
    const overflowed = size <= max && size + chunk.length > max;
    size += chunk.length;
    if (overflowed) onOverflow();
  });
  return () => Buffer.concat(chunks);
}
