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
import { type Power, powerOf } from "./power.ts";
import { until } from "./until.ts";

export { until };

/** A real API server for the suites about the operator's own engine room; they may freeze and kill it. */
export interface EngineServer extends Power {
  readonly transport: Transport;
  readonly client: Client;
  readonly kubeconfigPath: string;
  readonly api: ApiServer;
  /** A client with connections of its own, and how to cut them. */
  another(): Promise<{ readonly client: Client; readonly connection: Connection }>;
}

let shared: Promise<{ readonly server: EngineServer; readonly stop: () => Promise<void> }> | undefined;

export async function engineServer(): Promise<EngineServer> {
  shared ??= start();
  return (await shared).server;
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
  const power = await powerOf(api.pids["kube-apiserver"]);
  const server = { ...(await open()), ...power, kubeconfigPath: api.kubeconfigPath, api, another: open };
  const stop = async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    await power.kill();
    await api.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { server, stop };
}

after(async () => {
  if (shared !== undefined) await (await shared).stop();
});
