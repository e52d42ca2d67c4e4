import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { adminConnection, apiRequest } from "./api-request.ts";
import { awaitCondition, NotInTime } from "./await-condition.ts";
import { type BinaryPaths, builtBinaries, ensureBinaries } from "./binaries.ts";
import { CLUSTER_GROUPS } from "./binary-groups.ts";
import { createCgroups, removeCgroups } from "./cgroups.ts";
import { dnsAnswers, publishDns } from "./cluster-dns.ts";
import { commandsAreCurrent, writeClusterFiles, writeCommands } from "./cluster-files.ts";
import { clusterStatus, nodeState, readiness } from "./cluster-status.ts";
import { describeFailures, refuseCrashLoops } from "./component-state.ts";
import { COMPONENT_NAMES, type ComponentName, FOUNDATION } from "./components.ts";
import { ensureDebianPackages } from "./debian.ts";
import { loadPauseImage } from "./images.ts";
import { withLock } from "./lock.ts";
import { checkMachine, requireRoot } from "./machine.ts";
import { findSupervisor, startNamespaces, stopNamespaces } from "./namespaces.ts";
import { connect, disconnect } from "./network.ts";
import { type Cluster, type ClusterPaths, clusterPaths, DEFAULT_CLUSTER, lockFile } from "./paths.ts";
import type { ProcessIdentity } from "./processes.ts";
import { allocateCluster, findCluster } from "./slots.ts";
import { type Plan, type ProgressStyle, runPlan, say } from "./steps.ts";

export interface UpOptions {
  readonly name?: string;
  readonly progress?: ProgressStyle;
}

/** Then it does not come up by waiting. */
const RECOVERY_SECONDS = 90;

/** Starts a cluster, or what is missing of it, and returns when pods can run. What it held before is kept. */
export async function clusterUp(options: UpOptions = {}): Promise<ClusterPaths> {
  const { name = DEFAULT_CLUSTER, progress = "auto" } = options;
  const paths = clusterPaths(name);
  requireRoot();
  const onWait = () => say(progress, `waiting for another process that works on the cluster ${name}`);
  await withLock(lockFile(`cluster-${name}`), onWait, async () => {
    if (await isCurrent(name, progress)) return;
    await runPlan(startPlan(name), progress);
  });
  return paths;
}

async function isCurrent(name: string, progress: ProgressStyle): Promise<boolean> {
  const cluster = await findCluster(name);
  const binaries = await builtClusterBinaries();
  if (cluster === undefined || binaries === undefined) return false;
  return (await commandsAreCurrent(cluster, binaries)) && (await isOrBecomesHealthy(name, progress));
}

/** A part that ended is started again by itself: to begin anew would cost every pod that runs. */
async function isOrBecomesHealthy(name: string, progress: ProgressStyle): Promise<boolean> {
  const { healthy, supervisorPid } = await clusterStatus(name);
  if (healthy || supervisorPid === undefined) return healthy;
  say(progress, `waiting for the cluster ${name} to become healthy again`);
  try {
    await awaitCondition(`the cluster ${name} to be healthy`, RECOVERY_SECONDS, async () => {
      return (await clusterStatus(name)).healthy || "it is not";
    });
    return true;
  } catch (error) {
    if (error instanceof NotInTime) return false;
    throw error;
  }
}

function startPlan(name: string): Plan {
  const binaries = new Map<string, string>();
  const the: { cluster?: Cluster; supervisor?: ProcessIdentity } = {};
  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("a step ran before the one it depends on");
    return value;
  };
  return [
    { title: "Machine", run: async () => checkMachine((await builtClusterBinaries()) !== undefined) },
    [
      { title: "Debian packages", run: ensureDebianPackages },
      {
        title: "Programs",
        run: async (progress) => {
          for (const [program, path] of await ensureBinaries(CLUSTER_GROUPS, progress)) binaries.set(program, path);
        },
      },
    ],
    {
      title: "Certificates and settings",
      run: async () => {
        the.cluster = await allocateCluster(name);
        await writeClusterFiles(the.cluster, binaries);
      },
    },
    {
      title: "Namespaces and network",
      run: async () => {
        the.supervisor = await freshNamespaces(need(the.cluster), binaries);
      },
    },
    {
      title: "etcd, containerd and the API server",
      run: () => startFoundation(need(the.cluster), need(the.supervisor)),
    },
    { title: "Node, controllers and DNS", run: () => startNode(need(the.cluster), need(the.supervisor)) },
  ];
}

/** Begins from a clean machine, whatever an earlier start, a crash or a reboot has left. */
async function freshNamespaces(cluster: Cluster, binaries: BinaryPaths): Promise<ProcessIdentity> {
  await stopNamespaces(cluster.paths);
  await disconnect(cluster.addresses);
  await removeCgroups(cluster.cgroup);
  await createCgroups(cluster.cgroup);
  const supervisor = await startNamespaces(cluster);
  await connect(cluster.addresses, supervisor);
  await writeCommands(cluster, binaries);
  return supervisor;
}

async function startFoundation(cluster: Cluster, supervisor: ProcessIdentity): Promise<void> {
  await startComponents(cluster, FOUNDATION);
  const connection = await adminConnection(cluster.addresses.apiServerUrl, cluster.paths.pkiDir);
  await inHealth(cluster, supervisor, "the API server to be ready", 90, () => readiness(connection));
  await loadPauseImage(cluster, supervisor);
}

async function startNode(cluster: Cluster, supervisor: ProcessIdentity): Promise<void> {
  const connection = await adminConnection(cluster.addresses.apiServerUrl, cluster.paths.pkiDir);
  await startComponents(
    cluster,
    COMPONENT_NAMES.filter((name) => !FOUNDATION.includes(name)),
  );
  await publishDns(cluster, connection);
  await inHealth(cluster, supervisor, "the node to be Ready", 90, async () => {
    const node = await nodeState(connection, cluster);
    return node?.ready === true || (node?.message ?? "the kubelet has not registered it");
  });
  await inHealth(cluster, supervisor, "the first ServiceAccount", 30, async () => {
    const answer = await apiRequest(connection, "GET", "/api/v1/namespaces/default/serviceaccounts/default");
    return answer.status === 200 || answer.body;
  });
  await inHealth(cluster, supervisor, "the cluster's DNS", 30, () => dnsAnswers(cluster));
}

async function startComponents(cluster: Cluster, names: readonly ComponentName[]): Promise<void> {
  const commands = join(cluster.paths.runDir, "commands");
  await appendFile(commands, names.map((name) => `${name}\n`).join(""));
}

/** Waits, and turns a component that fails into an error that shows the end of its log. */
async function inHealth(
  cluster: Cluster,
  supervisor: ProcessIdentity,
  what: string,
  seconds: number,
  look: () => Promise<true | string>,
): Promise<void> {
  try {
    await awaitCondition(what, seconds, async () => {
      await refuseCrashLoops(cluster.paths, supervisor);
      if ((await findSupervisor(cluster.paths)) === undefined) throw new Error("the cluster's namespaces ended");
      return look();
    });
  } catch (error) {
    const failures = await describeFailures(cluster.paths, supervisor);
    throw new Error(`${error instanceof Error ? error.message : error}\n${failures}`.trimEnd(), { cause: error });
  }
}

async function builtClusterBinaries(): Promise<BinaryPaths | undefined> {
  const groups = await Promise.all(CLUSTER_GROUPS.map(builtBinaries));
  const all = new Map<string, string>();
  for (const group of groups) {
    if (group === undefined) return undefined;
    for (const [program, path] of group) all.set(program, path);
  }
  return all;
}
