import { homedir } from "node:os";
import { join } from "node:path";
import { type ClusterAddresses, slotAddresses } from "./addresses.ts";

/** Where everything of all local clusters is kept, except for the programs (see `cacheDirectory`). */
export const CLUSTERS_DIR = "/var/lib/terrarium/clusters";
export const DEFAULT_CLUSTER = "terrarium";

/** Where programs and toolchains are kept between runs and between checkouts. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "terrarium");
}

/** Locks are kept beside the programs: they must outlive every cluster. */
export function lockFile(name: string): string {
  return join(cacheDirectory(), "locks", `${name}.lock`);
}

/** Where the files of one cluster are. */
export interface ClusterPaths {
  readonly name: string;
  readonly directory: string;
  /** Full rights; names the API server by its address, so that it works from anywhere on this machine. */
  readonly kubeconfig: string;
  /** One JSON object for each request, level Metadata. */
  readonly auditLog: string;
  readonly logsDir: string;
  /** Links to the programs that this cluster runs, and to kubectl. */
  readonly binDir: string;
  readonly pkiDir: string;
  readonly configDir: string;
  readonly dataDir: string;
  readonly runDir: string;
  readonly slotFile: string;
  readonly containerdSocket: string;
}

/** What the parts of one cluster need to know of it. */
export interface Cluster {
  readonly name: string;
  readonly nodeName: string;
  /** Absolute name of its cgroup in every hierarchy. */
  readonly cgroup: string;
  readonly addresses: ClusterAddresses;
  readonly paths: ClusterPaths;
}

export function clusterPaths(name: string = DEFAULT_CLUSTER): ClusterPaths {
  const directory = join(CLUSTERS_DIR, checkedName(name));
  const logsDir = join(directory, "logs");
  return {
    name,
    directory,
    kubeconfig: join(directory, "kubeconfig"),
    auditLog: join(logsDir, "audit.log"),
    logsDir,
    binDir: join(directory, "bin"),
    pkiDir: join(directory, "pki"),
    configDir: join(directory, "config"),
    dataDir: join(directory, "data"),
    runDir: join(directory, "run"),
    slotFile: join(directory, "slot"),
    // Below /run, which is the cluster's own inside its mount namespace.
    containerdSocket: "/run/containerd/containerd.sock",
  };
}

export function describeCluster(name: string, slot: number): Cluster {
  return {
    name,
    nodeName: `terrarium-${name}`,
    cgroup: `/terrarium-${name}`,
    addresses: slotAddresses(slot),
    paths: clusterPaths(name),
  };
}

/** A name becomes part of paths, of a cgroup and of the node's name. */
function checkedName(name: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?$/.test(name)) return name;
  throw new Error(`Not a name for a cluster: ${JSON.stringify(name)}. Use at most 30 of a-z, 0-9 and "-".`);
}
