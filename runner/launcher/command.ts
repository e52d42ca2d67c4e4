/** One engine command as a direct child: no shell in between, so that a signal reaches the engine itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { ExitMessage, RunMessage } from "../engine-channel.ts";
import { LineSplitter } from "./lines.ts";
import { readMemory } from "./memory.ts";

export type CommandResult = Omit<ExitMessage, "type" | "seq" | "id">;

export interface CommandSurroundings {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where a `stdoutFile` goes. */
  readonly out: string;
  readonly onLine: (stream: "stdout" | "stderr", text: string, more: boolean) => void;
  /** After the engine's own end: whatever it started must end as well. Where that fails, the engine has ended all the same. */
  readonly afterExit: () => Promise<unknown>;
  readonly log: (text: string) => void;
  /** How long output may stay open behind an engine that has ended. */
  readonly lingerMs?: number;
}

export class Command {
  readonly id: string;
  readonly result: Promise<CommandResult>;
  readonly #request: RunMessage;
  readonly #surroundings: CommandSurroundings;
  #child: ChildProcess | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #kill: NodeJS.Timeout | undefined;
  #timedOut = false;
  #asked = false;
  #paused = false;

  constructor(request: RunMessage, surroundings: CommandSurroundings) {
    this.id = request.id;
    this.#request = request;
    this.#surroundings = surroundings;
    this.result = this.#run();
  }

  /** Asks the engine to end, once: a second SIGTERM would make it drop its state. SIGKILL follows after the grace. */
  terminate(signal: "SIGTERM" | "SIGINT" = "SIGTERM"): void {
    if (this.#asked || this.#child === undefined) return;
    this.#asked = true;
    this.#child.kill(signal);
    this.#kill = setTimeout(() => this.kill(), this.#request.graceMs);
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  /** The pipe fills up and the engine waits; nothing is lost and nothing grows. */
  setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    for (const stream of [this.#child?.stdout, this.#child?.stderr]) {
      if (paused) stream?.pause();
      else stream?.resume();
    }
  }

  async #run(): Promise<CommandResult> {
    const began = performance.now();
    const killsBefore = readMemory().outOfMemoryKills;
    try {
      const [code, signal] = await this.#execute();
      const { peakBytes, outOfMemoryKills } = readMemory();
      return {
        code,
        signal,
        timedOut: this.#timedOut,
        durationMs: Math.round(performance.now() - began),
        outOfMemory: (outOfMemoryKills ?? 0) > (killsBefore ?? 0),
        ...(peakBytes === undefined ? {} : { peakRssBytes: peakBytes }),
      };
    } catch (error) {
      const durationMs = Math.round(performance.now() - began);
      return { code: null, signal: null, timedOut: false, durationMs, startError: startError(error) };
    } finally {
      clearTimeout(this.#deadline);
      clearTimeout(this.#kill);
    }
  }

  async #execute(): Promise<[number | null, NodeJS.Signals | null]> {
    const { args, cwd, env, timeoutMs, stdoutFile } = this.#request;
    const file = stdoutFile === undefined ? undefined : openNew(join(this.#surroundings.out, stdoutFile));
    try {
      const child = spawn(this.#surroundings.program, [...args], {
        cwd,
        env: { ...this.#surroundings.environment, ...env },
        stdio: ["ignore", file ?? "pipe", "pipe"],
        shell: false,
      });
      this.#child = child;
      const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
      this.#read("stdout", child.stdout);
      this.#read("stderr", child.stderr);
      const exit = await exitOf(child, () => this.#startClock(timeoutMs));
      await this.#surroundings.afterExit().catch((error) => this.#surroundings.log(`after the engine's end: ${error}`));
      await this.#drained(closed, child);
      return exit;
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  #startClock(timeoutMs: number): void {
    this.#deadline = setTimeout(() => {
      this.#timedOut = true;
      this.terminate();
    }, timeoutMs);
  }

  #read(name: "stdout" | "stderr", stream: Readable | null): void {
    if (stream === null) return;
    const splitter = new LineSplitter((text, more) => this.#surroundings.onLine(name, text, more));
    stream.on("data", (chunk: Buffer) => splitter.write(chunk));
    stream.once("close", () => splitter.end());
  }

  /** A process that outlives the engine could hold the pipe open for ever; a paused pipe only waits for the agent. */
  async #drained(closed: Promise<void>, child: ChildProcess): Promise<void> {
    let done = false;
    const end = closed.then(() => {
      done = true;
    });
    while (!done) {
      const limit = new Promise<void>((resolve) => setTimeout(resolve, this.#surroundings.lingerMs ?? 2_000).unref());
      await Promise.race([end, limit]);
      if (done || this.#paused) continue;
      child.stdout?.destroy();
      child.stderr?.destroy();
      await end;
    }
  }
}

function exitOf(child: ChildProcess, onSpawn: () => void): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once("spawn", onSpawn);
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve([code, signal]));
  });
}

/** A new file of our own: code of an earlier phase may have left a link under that name. */
function openNew(path: string): number {
  rmSync(path, { force: true });
  return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o640);
}

/** The system's code only: its message could quote arguments. */
function startError(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  if (code === "ENOENT") return "the engine's program or its working directory does not exist (ENOENT)";
  if (code === "E2BIG") return "the engine's environment is too large for the system (E2BIG): shorten credentials";
  return `the engine could not be started (${code})`;
}
