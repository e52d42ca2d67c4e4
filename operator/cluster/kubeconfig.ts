import type { KubeConfig } from "@kubernetes/client-node";
import { type Connection, connect, defaultKubeConfig } from "./connection.ts";
import { readKubeConfig, readKubeConfigs } from "./kubeconfig-files.ts";

/** What a person may say about where to go, as with kubectl. */
export interface ClusterChoice {
  /** A kubeconfig; otherwise those of `list`, ~/.kube/config or the pod's service account, in this order. */
  readonly file?: string;
  /** Kubeconfigs, as in $KUBECONFIG. */
  readonly list?: string;
  /** One of its contexts instead of the current one. */
  readonly context?: string;
}

export interface ChosenCluster {
  readonly context: string;
  /** Address of the API server. */
  readonly server: string;
  /** The context's namespace, or `default`. */
  readonly namespace: string;
  connect(): Promise<Connection>;
}

/** There is no such kubeconfig or context, or it leads nowhere. */
export class ClusterNotChosen extends Error {
  override readonly name = "ClusterNotChosen";
}

/** Throws ClusterNotChosen, with the contexts that there are. */
export function chooseCluster(choice: ClusterChoice = {}): ChosenCluster {
  const config = load(choice);
  if (choice.context !== undefined) config.setCurrentContext(choice.context);
  const name = config.getCurrentContext();
  const context = config.getContextObject(name);
  const cluster = config.getCurrentCluster();
  if (context === null || cluster === null || isGuess(name, cluster.server))
    throw new ClusterNotChosen(noContext(config, name));
  return {
    context: name,
    server: cluster.server,
    namespace: context.namespace || "default",
    connect: () => connect(config, { mindsProxies: true }),
  };
}

function load({ file, list }: ClusterChoice): KubeConfig {
  try {
    if (file !== undefined) return readKubeConfig(file);
    return list ? readKubeConfigs(list) : defaultKubeConfig();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ClusterNotChosen(`The kubeconfig cannot be read: ${why}`, { cause: error });
  }
}

/** client-node's last resort, which no API server of today answers to. */
const isGuess = (context: string, server: string) => context === "loaded-context" && server === "http://localhost:8080";

function noContext(config: KubeConfig, name: string): string {
  const known = config.getContexts().map((context) => context.name);
  if (known.length === 0 || known[0] === "loaded-context")
    return "There is no kubeconfig with a context: name one with --kubeconfig or $KUBECONFIG";
  const asked = name ? `has no context "${name}" that names one of its clusters` : "has no current context";
  return `The kubeconfig ${asked}. It has: ${known.join(", ")}. Choose with --context`;
}
