import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import { createClient } from "../../operator/cluster/client.ts";
import { type Connection, connect } from "../../operator/cluster/connection.ts";
import { isAlreadyExists } from "../../operator/cluster/errors.ts";
import type { Client, KubeObject } from "../../operator/cluster/ports.ts";
import { CUSTOM_RESOURCE_DEFINITIONS, ENVIRONMENTS, NAMESPACES } from "../../operator/cluster/resources.ts";
import { createTransport, type Transport } from "../../operator/cluster/transport.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { type ApiServer, startApiServer } from "../../tools/cluster/apiserver-only.ts";

/** A real API server for the suites about the operator's own engine room; they may freeze and kill it. */
export interface EngineServer {
  readonly transport: Transport;
  readonly client: Client;
  readonly kubeconfigPath: string;
  /** A client with connections of its own, and how to cut them. */
  another(): Promise<{ readonly client: Client; readonly connection: Connection }>;
  freeze(): Promise<void>;
  thaw(): void;
  kill(): Promise<void>;
  /** The same program with the same arguments on the same etcd. */
  startAgain(): void;
}

let shared: Promise<{ readonly server: EngineServer; readonly stop: () => Promise<void> }> | undefined;

export async function engineServer(): Promise<EngineServer> {
  shared ??= start();
  return (await shared).server;
}

/** Looks until it is so; the condition is asked of a real server, so that time is real. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${limitMs} ms: ${what}`);
    await systemClock.sleep(20);
  }
}

export async function makeNamespace(client: Client, name: string): Promise<void> {
  try {
    await client.create(NAMESPACES, { metadata: { name } });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** Makes the kind Environment known, and waits until it is served. */
export async function installEnvironments(client: Client): Promise<void> {
  const text = await readFile(join(import.meta.dirname, "../../crds/environments.yaml"), "utf8");
  await client.apply(CUSTOM_RESOURCE_DEFINITIONS, parse(text) as KubeObject);
  await until("environments are served", () =>
    client.list(ENVIRONMENTS).then(
      () => true,
      () => false,
    ),
  );
}

async function start() {
  const dir = await mkdtemp(join(tmpdir(), "terrarium-engine-"));
  const api = await startApiServer({ dir });
  const connections: Connection[] = [];
  const open = async () => {
    const config = new KubeConfig();
    config.loadFromFile(api.kubeconfigPath);
    const connection = await connect(config);
    connections.push(connection);
    const transport = createTransport({ connection, clock: systemClock });
    return { connection, transport, client: createClient(transport) };
  };
  const power = await powerOf(api);
  const server = { ...(await open()), ...power, kubeconfigPath: api.kubeconfigPath, another: open };
  const stop = async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    await power.kill();
    await api.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { server, stop };
}

async function powerOf(api: ApiServer): Promise<Pick<EngineServer, "freeze" | "thaw" | "kill" | "startAgain">> {
  let pid = api.pids["kube-apiserver"] ?? 0;
  const [program = "", ...args] = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0").slice(0, -1);
  return {
    async freeze() {
      process.kill(pid, "SIGSTOP");
      await until("the API server has stopped", async () => (await stateOf(pid)) === "T");
    },
    thaw: () => void process.kill(pid, "SIGCONT"),
    async kill() {
      if (pid === 0) return;
      const ending = pid;
      pid = 0;
      process.kill(ending, "SIGKILL");
      await until("the API server has ended", async () => ["", "Z"].includes(await stateOf(ending)));
    },
    startAgain() {
      const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], { stdio: "ignore" });
      pid = child.pid ?? 0;
    },
  };
}

/** The letter of proc(5): T for stopped, Z when only its parent has not taken note yet; "" when it is gone. */
async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).slice(0, 1);
}

after(async () => {
  if (shared !== undefined) await (await shared).stop();
});
