import { type ApiConnection, adminConnection, apiRequest } from "./api-request.ts";
import { type ComponentState, componentStates } from "./component-state.ts";
import { findSupervisor } from "./namespaces.ts";
import { type Cluster, type ClusterPaths, clusterPaths, DEFAULT_CLUSTER } from "./paths.ts";
import { findCluster } from "./slots.ts";

/** What is known about the one node. */
export interface NodeState {
  readonly name: string;
  readonly ready: boolean;
  readonly message: string;
  readonly kubeletVersion: string;
  readonly containerRuntimeVersion: string;
}

export interface ClusterStatus {
  readonly name: string;
  readonly exists: boolean;
  /** Every component runs, the API server is ready and so is the node. */
  readonly healthy: boolean;
  readonly url?: string;
  readonly apiServer?: string;
  readonly kubernetesVersion?: string;
  readonly supervisorPid?: number;
  readonly node?: NodeState;
  readonly components: readonly ComponentState[];
  readonly paths: ClusterPaths;
}

export async function clusterStatus(name: string = DEFAULT_CLUSTER): Promise<ClusterStatus> {
  const paths = clusterPaths(name);
  const cluster = await findCluster(name);
  if (cluster === undefined) return { name, exists: false, healthy: false, components: [], paths };
  const supervisor = await findSupervisor(paths);
  const components = await componentStates(paths, supervisor);
  const base = { name, exists: true, url: cluster.addresses.apiServerUrl, components, paths };
  if (supervisor === undefined) return { ...base, healthy: false, apiServer: "the cluster does not run" };

  const connection = await adminConnection(cluster.addresses.apiServerUrl, paths.pkiDir);
  const ready = await readiness(connection);
  const node = ready === true ? await nodeState(connection, cluster) : undefined;
  const kubernetesVersion = ready === true ? await serverVersion(connection) : undefined;
  return {
    ...base,
    supervisorPid: supervisor.pid,
    apiServer: ready === true ? "ready" : ready,
    healthy: ready === true && node?.ready === true && components.every(({ pid }) => pid !== undefined),
    ...(node === undefined ? {} : { node }),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
  };
}

export async function readiness(connection: ApiConnection): Promise<true | string> {
  const answer = await apiRequest(connection, "GET", "/readyz");
  return answer.status === 200 || `/readyz: ${answer.status || "no answer"}: ${answer.body.slice(0, 300)}`;
}

export async function nodeState(connection: ApiConnection, cluster: Cluster): Promise<NodeState | undefined> {
  const answer = await apiRequest(connection, "GET", `/api/v1/nodes/${cluster.nodeName}`);
  if (answer.status !== 200) return undefined;
  const node: NodeAnswer = JSON.parse(answer.body);
  const condition = node.status.conditions?.find(({ type }) => type === "Ready");
  return {
    name: cluster.nodeName,
    ready: condition?.status === "True",
    message: condition?.message ?? "the kubelet has not reported yet",
    kubeletVersion: node.status.nodeInfo.kubeletVersion,
    containerRuntimeVersion: node.status.nodeInfo.containerRuntimeVersion,
  };
}

async function serverVersion(connection: ApiConnection): Promise<string | undefined> {
  const answer = await apiRequest(connection, "GET", "/version");
  if (answer.status !== 200) return undefined;
  const version: { gitVersion: string } = JSON.parse(answer.body);
  return version.gitVersion;
}

interface NodeAnswer {
  readonly status: {
    readonly conditions?: readonly { type: string; status: string; message: string }[];
    readonly nodeInfo: { readonly kubeletVersion: string; readonly containerRuntimeVersion: string };
  };
}
