/** A whole runner pod on this machine: agent, launcher and engine as processes, folders instead of volumes. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { RunOutcome } from "../../operator/api/run-status.ts";
import type { EngineName } from "../../operator/engine/names.ts";
import type { GatewayErrorCode, Verdict, WorkOrder } from "../../operator/gateway/protocol.ts";
import { AGENT_ENV } from "../../runner/pod-layout.ts";
import { freePort } from "../../tools/free-port.ts";
import { aWorkOrder, type FakeGateway, startGateway } from "../fakes/gateway.ts";
import { mountDisks } from "./disks.ts";
import { type End, engineBinary, exitOf, layoutIn, startAgent, startLauncher } from "./pod-processes.ts";

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
  const newAgent = () =>
    collect(
      startAgent(layout, engine, {
        env: {
          ...agentEnvironment(gateway.url, options.order.phase ?? "Plan"),
          ...(options.cliConfigFile === undefined ? {} : { TF_CLI_CONFIG_FILE: options.cliConfigFile }),
        },
      }),
    );
  const launcher = collect(startLauncher(layout, program));
  let agent = newAgent();
  return {
    gateway,
    root,
    statePort,
    log: () => log,
    agent: () => agent,
    launcher,
    restartAgent: () => {
      agent = newAgent();
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

function agentEnvironment(url: string, phase: string): Record<string, string> {
  return {
    [AGENT_ENV.gatewayUrl]: url,
    [AGENT_ENV.namespace]: "team",
    [AGENT_ENV.run]: "shop-network-1",
    [AGENT_ENV.phase]: phase,
  };
}

function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}
