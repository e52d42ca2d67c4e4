import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How a child process is started. `onLine` sees each line of its standard error while it runs. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly onLine?: (line: string) => void;
  readonly timeoutSeconds?: number;
}

const TAIL_LINES = 25;

/** Runs a program to its end and gives its standard output; a failure carries the last lines it printed. */
export async function command(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...childEnvironment(), ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.timeoutSeconds === undefined ? {} : { timeout: options.timeoutSeconds * 1000, killSignal: "SIGKILL" }),
  });
  const tail: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    options.onLine?.(line);
  });
  const stdout: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  // A program may end before it has read its input; its exit code says more than the broken pipe.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");

  const outcome = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "ENOENT" ? "is not installed" : error.message),
    );
    child.once("close", (code, signal) =>
      resolve(code === 0 ? undefined : signal ? `died of ${signal}` : `exit ${code}`),
    );
  });
  const output = Buffer.concat(stdout).toString();
  if (outcome !== undefined)
    throw new CommandFailed(program, args, outcome, tail.length > 0 ? tail : lastLines(output));
  return output;
}

/** True when the program ends with 0. */
export async function succeeds(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<boolean> {
  try {
    await command(program, args, options);
    return true;
  } catch (error) {
    if (error instanceof CommandFailed) return false;
    throw error;
  }
}

function childEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    // A Terraform configuration of the person's own must not reach the tools that are built and run here.
    if (value !== undefined && name !== "TF_CLI_CONFIG_FILE") environment[name] = value;
  }
  return environment;
}

function lastLines(text: string): string[] {
  return text.trimEnd().split("\n").slice(-TAIL_LINES);
}

export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly program: string;
  readonly outcome: string;

  constructor(program: string, args: readonly string[], outcome: string, tail: readonly string[]) {
    super(`${[program, ...args].join(" ").slice(0, 300)}: ${outcome}\n${tail.join("\n")}`.trimEnd());
    this.program = program;
    this.outcome = outcome;
  }
}
