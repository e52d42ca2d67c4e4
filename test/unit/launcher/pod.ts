/** A runner pod in small: real launcher process, real socket, folders instead of volumes, Node scripts as engines. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  connectEngine,
  type EngineClient,
  type EngineCommand,
  type EngineLine,
} from "../../../runner/engine-client.ts";
import { COMMANDS } from "../../../runner/pod-layout.ts";

export interface TestPod {
  readonly root: string;
  readonly out: string;
  readonly work: string;
  readonly socket: string;
  readonly launcher: ChildProcess;
  /** Resolves with exit code or signal of the launcher. */
  readonly ended: Promise<number | string>;
  readonly stderr: () => string;
  readonly agent: (options?: { lostAfterMs?: number }) => Promise<EngineClient>;
  readonly command: (id: string, change?: Partial<EngineCommand>) => EngineCommand;
  readonly remove: () => Promise<void>;
}

export interface TestPodOptions {
  /** The program's path, or the body of a Node script that plays the engine. */
  readonly engine: string | { readonly script: string };
  readonly source?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Files of mounted Secrets, e.g. `aws/AWS_REGION`. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** Starts the launcher as process 1 of a process namespace, as a container does. */
  readonly isolated?: boolean;
}

/** The options of Node.js with which the operator starts it in a pod. */
const launcherOptions = COMMANDS.engine.slice(1, -1);
const launcherProgram = join(import.meta.dirname, "../../../runner/launcher/main.ts");

export function startPod(options: TestPodOptions): TestPod {
  const root = mkdtempSync(join(tmpdir(), "pod-"));
  const path = (name: string) => join(root, name);
  writeFiles(path("in/source"), options.source ?? {});
  writeFiles(path("credentials"), options.credentials ?? {});
  for (const folder of ["in/source", "in/overlay", "out/work", "socket"]) mkdirSync(path(folder), { recursive: true });
  const program =
    typeof options.engine === "string" ? options.engine : scriptedEngine(path("engine"), options.engine.script);
  const prefix = options.isolated === true ? ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"] : [];
  const [first = "", ...rest] = [...prefix, process.execPath, ...launcherOptions, launcherProgram];
  const launcher = spawn(first, rest, {
    env: {
      PATH: process.env.PATH,
      TERRARIUM_ENGINE_BIN: program,
      TERRARIUM_SOCKET: path("socket/engine.sock"),
      TERRARIUM_SOURCE: path("in/source"),
      TERRARIUM_OVERLAY: path("in/overlay"),
      TERRARIUM_OUT: path("out"),
      TERRARIUM_WORK: path("out/work"),
      TERRARIUM_CREDENTIALS_DIR: path("credentials"),
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  for (const stream of [launcher.stdout, launcher.stderr]) stream?.on("data", (chunk) => (stderr += chunk));
  const ended = new Promise<number | string>((resolve) => {
    launcher.once("exit", (code, signal) => resolve(code ?? signal ?? "?"));
  });
  const agents: EngineClient[] = [];
  return {
    root,
    out: path("out"),
    work: path("out/work"),
    socket: path("socket/engine.sock"),
    launcher,
    ended,
    stderr: () => stderr,
    agent: async (more = {}) => {
      const agent = await connectEngine({ socketPath: path("socket/engine.sock"), connectTimeoutMs: 10_000, ...more });
      agents.push(agent);
      return agent;
    },
    command: (id, change = {}) => ({
      id,
      args: [],
      env: { PATH: process.env.PATH ?? "" },
      cwd: path("out/work"),
      timeoutMs: 20_000,
      graceMs: 5_000,
      ...change,
    }),
    remove: async () => {
      for (const agent of agents) agent.close();
      launcher.kill("SIGKILL");
      await ended;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

function scriptedEngine(path: string, script: string): string {
  writeFileSync(path, `#!${process.execPath}\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Collects lines, and waits for one. */
export function collector() {
  const lines: EngineLine[] = [];
  const waiting: { text: string; resolve: () => void }[] = [];
  return {
    lines,
    texts: () => lines.map(({ text }) => text),
    onLine: (line: EngineLine) => {
      lines.push(line);
      for (const { text, resolve } of waiting) if (line.text.includes(text)) resolve();
    },
    seen: (text: string): Promise<void> => {
      if (lines.some((line) => line.text.includes(text))) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ text, resolve }));
    },
  };
}

/** Waits for SIGTERM and then saves its state, as an engine does. */
export const patientEngine = `
const fs = require("node:fs");
let signals = 0;
process.on("SIGTERM", () => {
  signals++;
  console.log("signal " + signals);
  if (signals === 1) setTimeout(() => { fs.writeFileSync("saved", String(signals)); process.exit(1); }, 200);
});
console.log("started");
setInterval(() => {}, 1000);
`;
