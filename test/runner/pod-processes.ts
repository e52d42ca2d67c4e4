/** The two programs of a runner pod as processes of this machine, with folders instead of volumes. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type EngineName, engineProgram } from "../../operator/engine/names.ts";
import { builtBinaries } from "../../tools/cluster/binaries.ts";

export type End = number | string;

const here = import.meta.dirname;

export async function engineBinary(engine: EngineName): Promise<string> {
  const path = (await builtBinaries(engine))?.get(engineProgram(engine));
  if (path === undefined)
    throw new Error(`${engine} is not in the cache of programs: run "npm test -- --suite runner" once`);
  return path;
}

export function layoutIn(root: string, statePort: number) {
  const path = (name: string) => join(root, name);
  for (const folder of [
    "in",
    "out/work",
    "socket",
    "secrets",
    "spool",
    "inputs/secrets",
    "inputs/configmaps",
    "gateway",
  ]) {
    mkdirSync(path(folder), { recursive: true });
  }
  return {
    in: path("in"),
    out: path("out"),
    work: path("out/work"),
    socketDir: path("socket"),
    socket: path("socket/engine.sock"),
    secrets: path("secrets"),
    credentials: path("credentials"),
    spool: path("spool"),
    secretInputs: path("inputs/secrets"),
    configMapInputs: path("inputs/configmaps"),
    token: path("gateway/token"),
    caBundle: path("ca/ca.crt"),
    terminationLog: path("termination-log"),
    statePort,
  };
}

export type ProcessLayout = ReturnType<typeof layoutIn>;

interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** In a process group of its own, so that it can be killed with all that it has started. */
  readonly detached?: boolean;
}

export const startAgent = (
  layout: ProcessLayout,
  engine: EngineName,
  { env, detached = false }: StartOptions,
): ChildProcess =>
  start(
    join(here, "agent-process.ts"),
    { TERRARIUM_ENGINE: engine, TEST_LAYOUT: JSON.stringify(layout), ...env },
    detached,
  );

export const startLauncher = (
  layout: ProcessLayout,
  program: string,
  { env, detached = false }: StartOptions = {},
): ChildProcess =>
  start(
    join(here, "../../runner/launcher/main.ts"),
    {
      TERRARIUM_ENGINE_BIN: program,
      TERRARIUM_SOCKET: layout.socket,
      TERRARIUM_SOURCE: join(layout.in, "source"),
      TERRARIUM_OVERLAY: join(layout.in, "overlay"),
      TERRARIUM_OUT: layout.out,
      TERRARIUM_WORK: layout.work,
      TERRARIUM_CREDENTIALS_DIR: join(layout.credentials, "none"),
      TERRARIUM_IDLE_MS: "10000",
      ...env,
    },
    detached,
  );

function start(program: string, env: Readonly<Record<string, string>>, detached: boolean): ChildProcess {
  return spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached,
  });
}

export function exitOf(child: ChildProcess): Promise<End> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  if (child.signalCode !== null) return Promise.resolve(child.signalCode);
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal ?? "?")));
}
