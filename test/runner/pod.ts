/** A whole runner pod on this machine: agent, launcher and engine as processes, folders instead of volumes. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { RunOutcome } from "../../operator/api/run.ts";
import { type EngineName, engineProgram } from "../../operator/engine/names.ts";
import type { GatewayErrorCode, Verdict, WorkOrder } from "../../operator/gateway/protocol.ts";
import { AGENT_ENV } from "../../runner/pod-layout.ts";
import { builtBinaries } from "../../tools/cluster/binaries.ts";
import { aWorkOrder, type FakeGateway, startGateway } from "../fakes/gateway.ts";
import { mountDisks } from "./disks.ts";

export interface RunnerPod {
  readonly gateway: FakeGateway;
  readonly root: string;
  readonly statePort: number;
  /** What the agent has printed, over all its starts. */
  readonly log: () => string;
  readonly agent: () => ChildProcess;
  readonly launcher: ChildProcess;
  /** Starts the agent's container again, as the kubelet does when it died. */
  readonly restartAgent: () => void;
  /** Resolves with the exit codes of both containers. */
  readonly ended: () => Promise<{ readonly agent: End; readonly engine: End }>;
  readonly outcome: () => RunOutcome | undefined;
  readonly termination: () => string;
  readonly remove: () => Promise<void>;
}

export interface RunnerPodOptions {
  readonly engine?: EngineName;
  readonly order: Partial<WorkOrder>;
  /** Mounted Secrets and ConfigMaps, as `name/key`. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly configMaps?: Readonly<Record<string, string>>;
  /** What the gateway answers to the plan. */
  readonly verdict?: Verdict;
  /** The engine's settings file, as the image has one. */
  readonly cliConfigFile?: string;
  /** Requests that the gateway answers with an error. */
  readonly refuse?: Readonly<Record<string, GatewayErrorCode>>;
  /** What the store holds from earlier runs. */
  readonly stored?: Partial<Pick<FakeGateway["memory"], "state" | "archive" | "bundle">>;
  /** Folders that are disks of their own, with so many bytes. Takes root. */
  readonly disks?: Partial<Readonly<Record<DiskName, number>>>;
  /** A pod that has ended and been removed: this one has the same paths and ports inside, as every pod has in a cluster. */
  readonly like?: RunnerPod;
}

export type DiskName = "spool" | "out";

type End = number | string;

const here = import.meta.dirname;

export async function startRunnerPod(options: RunnerPodOptions): Promise<RunnerPod> {
  const engine = options.engine ?? "opentofu";
  const program = await engineBinary(engine);
  const root = options.like?.root ?? mkdtempSync(join(tmpdir(), "runner-pod-"));
  const statePort = options.like?.statePort ?? (await freePort());
  const disks = mountDisks(root, options.disks ?? {});
  const layout = layoutIn(root, statePort);
  writeFiles(layout.secretInputs, options.secrets ?? {});
  writeFiles(layout.configMapInputs, options.configMaps ?? {});
  writeFileSync(layout.token, "a token\n");
  writeFileSync(layout.terminationLog, "");
  const gateway = await startGateway(aWorkOrder(options.order));
  gateway.memory.refuse = (request) => options.refuse?.[request];
  gateway.memory.state = options.stored?.state;
  gateway.memory.archive = options.stored?.archive;
  gateway.memory.bundle = options.stored?.bundle;
  if (options.verdict !== undefined) gateway.memory.verdict = options.verdict;

  let log = "";
  const collect = (child: ChildProcess): ChildProcess => {
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (log += chunk));
    return child;
  };
  const startAgent = () =>
    collect(
      start(join(here, "agent-process.ts"), {
        ...agentEnvironment(engine, gateway.url, layout, options.order.phase ?? "Plan"),
        ...(options.cliConfigFile === undefined ? {} : { TF_CLI_CONFIG_FILE: options.cliConfigFile }),
      }),
    );
  const launcher = collect(
    start(join(here, "../../runner/launcher/main.ts"), {
      TERRARIUM_ENGINE_BIN: program,
      TERRARIUM_SOCKET: layout.socket,
      TERRARIUM_SOURCE: join(layout.in, "source"),
      TERRARIUM_OVERLAY: join(layout.in, "overlay"),
      TERRARIUM_OUT: layout.out,
      TERRARIUM_WORK: layout.work,
      TERRARIUM_CREDENTIALS_DIR: join(root, "none"),
      TERRARIUM_IDLE_MS: "10000",
    }),
  );
  let agent = startAgent();
  return {
    gateway,
    root,
    statePort,
    log: () => log,
    agent: () => agent,
    launcher,
    restartAgent: () => {
      agent = startAgent();
    },
    ended: async () => ({ agent: await exitOf(agent), engine: await exitOf(launcher) }),
    outcome: () => gateway.memory.result?.outcome,
    termination: () => readFileSync(layout.terminationLog, "utf8"),
    remove: async () => {
      for (const child of [agent, launcher]) child.kill("SIGKILL");
      await Promise.all([exitOf(agent), exitOf(launcher)]);
      await gateway.close();
      disks.unmount();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Resolves as soon as the agent has printed something like it. */
export async function logged(pod: RunnerPod, pattern: RegExp): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (pattern.test(pod.log())) resolve();
  };
  const streams = [pod.agent().stdout, pod.agent().stderr];
  for (const stream of streams) stream?.on("data", look);
  look();
  await promise;
  for (const stream of streams) stream?.off("data", look);
}

export async function engineBinary(engine: EngineName): Promise<string> {
  const path = (await builtBinaries(engine))?.get(engineProgram(engine));
  if (path === undefined) throw new Error(`${engine} is not in the cache of programs: run "npm run cluster up" once`);
  return path;
}

function layoutIn(root: string, statePort: number) {
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

/** All pods of a test share this machine's loopback; a restarted agent must come back at the same port. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function agentEnvironment(engine: EngineName, url: string, layout: object, phase: string): Record<string, string> {
  return {
    [AGENT_ENV.gatewayUrl]: url,
    [AGENT_ENV.namespace]: "team",
    [AGENT_ENV.run]: "shop-network-1",
    [AGENT_ENV.phase]: phase,
    TERRARIUM_ENGINE: engine,
    TEST_LAYOUT: JSON.stringify(layout),
  };
}

function start(program: string, env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function exitOf(child: ChildProcess): Promise<End> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  if (child.signalCode !== null) return Promise.resolve(child.signalCode);
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal ?? "?")));
}

function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}
