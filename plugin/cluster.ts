import { createClient } from "../operator/cluster/client.ts";
import { type ClusterChoice, chooseCluster } from "../operator/cluster/kubeconfig.ts";
import { createPodLog, type PodLog } from "../operator/cluster/pod-log.ts";
import type { Reader, Watcher, Writer } from "../operator/cluster/ports.ts";
import { createRaw, type Raw } from "../operator/cluster/raw.ts";
import { createSelf, type Self } from "../operator/cluster/self.ts";
import { createServerFacts, type ServerFacts } from "../operator/cluster/server-facts.ts";
import { createTransport } from "../operator/cluster/transport.ts";
import type { Clock } from "../operator/loop/clock.ts";

/** One cluster, seen with the rights of the person who calls. */
export interface Cluster {
  readonly context: string;
  readonly server: string;
  /** Where commands look unless told otherwise. */
  readonly namespace: string;
  readonly client: Pick<Reader, "get" | "find" | "listAll"> & Watcher & Pick<Writer, "create" | "mergePatch">;
  readonly self: Self;
  readonly facts: ServerFacts;
  readonly podLog: PodLog;
  readonly raw: Raw;
  close(): Promise<void>;
}

export interface ClusterOptions extends ClusterChoice {
  /** An empty one is that of the context, as kubectl has it. */
  readonly namespace?: string;
  readonly clock: Clock;
  readonly version: string;
}

/** Fields that the plugin writes belong to it, not to the operator. */
export const PLUGIN_FIELD_MANAGER = "kubectl-terrarium";

/** Throws ClusterNotChosen. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const chosen = chooseCluster(options);
  const connection = await chosen.connect();
  const userAgent = `${PLUGIN_FIELD_MANAGER}/${options.version}`;
  const transport = createTransport({ connection, clock: options.clock, userAgent });
  return {
    context: chosen.context,
    server: chosen.server,
    namespace: options.namespace || chosen.namespace,
    client: createClient(transport, { fieldManager: PLUGIN_FIELD_MANAGER }),
    self: createSelf(transport),
    facts: createServerFacts(transport),
    podLog: createPodLog(transport),
    raw: createRaw(transport),
    close: () => connection.close(),
  };
}
