import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import type { WatchTiming } from "../../operator/assembly/caches.ts";
import { createClient } from "../../operator/cluster/client.ts";
import { connect } from "../../operator/cluster/connection.ts";
import type { Client, KubeObject } from "../../operator/cluster/ports.ts";
import { CUSTOM_RESOURCE_DEFINITIONS, ENVIRONMENTS, RUNS } from "../../operator/cluster/resources.ts";
import { createTransport, type Transport } from "../../operator/cluster/transport.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { type ApiServer, startApiServer } from "../../tools/cluster/apiserver-only.ts";
import { until } from "../apiserver/engine-server.ts";
import { openSight, type Sight } from "./sight.ts";

/** A real API server with its controllers and our kinds, for all stories of the suite. */
export interface Stage {
  readonly api: ApiServer;
  /** The tests' own eyes and hands: nothing goes wrong on this line. */
  readonly client: Client;
  readonly transport: Transport;
  readonly sight: Sight;
}

/** A stage that one suite has for itself, to break it. */
export interface OwnStage extends Stage {
  /** Where all files of its servers are. */
  readonly dir: string;
  strike(): Promise<void>;
}

let shared: Promise<OwnStage> | undefined;

export function stage(): Promise<Stage> {
  shared ??= ownStage();
  return shared;
}

/** A connection through a kubeconfig that names this address and nobody. */
export async function connectionTo(url: string) {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: "line", server: url, skipTLSVerify: true }],
    users: [{ name: "nobody" }],
    contexts: [{ name: "line", cluster: "line", user: "nobody" }],
    currentContext: "line",
  });
  return connect(config);
}

export async function ownStage(timing: WatchTiming = {}): Promise<OwnStage> {
  const dir = mkdtempSync(join(tmpdir(), "terrarium-faults-"));
  const api = await startApiServer({ dir, controllers: true });
  const config = new KubeConfig();
  config.loadFromFile(api.kubeconfigPath);
  const connection = await connect(config);
  const transport = createTransport({ connection, clock: systemClock });
  const client = createClient(transport);
  const crds = join(import.meta.dirname, "../../crds");
  for (const file of readdirSync(crds).filter((name) => name.endsWith(".yaml")))
    await client.apply(CUSTOM_RESOURCE_DEFINITIONS, parse(readFileSync(join(crds, file), "utf8")) as KubeObject);
  for (const kind of [ENVIRONMENTS, RUNS])
    await until(`${kind.plural} are served`, () =>
      client.list(kind).then(
        () => true,
        () => false,
      ),
    );
  const sight = await openSight(client, timing);
  const strike = async () => {
    await sight.stop();
    await connection.close();
    await api.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { dir, api, client, transport, sight, strike };
}

after(async function () {
  this.timeout(60_000);
  if (shared !== undefined) await (await shared).strike();
});
