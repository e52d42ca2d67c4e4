import { rm, rmdir } from "node:fs/promises";
import { removeCgroups } from "./cgroups.ts";
import { withLock } from "./lock.ts";
import { requireRoot } from "./machine.ts";
import { stopNamespaces } from "./namespaces.ts";
import { disconnect } from "./network.ts";
import { CLUSTERS_DIR, clusterPaths, DEFAULT_CLUSTER, lockFile } from "./paths.ts";
import { clusterNames, findCluster } from "./slots.ts";
import { type ProgressStyle, runPlan, say } from "./steps.ts";

export interface DownOptions {
  readonly name?: string;
  readonly progress?: ProgressStyle;
}

/** Folders on the machine that a cluster mounts its own ones over. They stay empty. */
const MOUNT_POINTS = ["/var/lib/kubelet", "/var/lib/cni"];

/** Ends a cluster and removes all that is left of it. The built programs stay. False where there was none. */
export async function clusterDown(options: DownOptions = {}): Promise<boolean> {
  const { name = DEFAULT_CLUSTER, progress = "auto" } = options;
  const paths = clusterPaths(name);
  requireRoot();
  const onWait = () => say(progress, `waiting for another process that works on the cluster ${name}`);
  return withLock(lockFile(`cluster-${name}`), onWait, async () => {
    const cluster = await findCluster(name);
    if (cluster === undefined) {
      await removeFiles(paths.directory);
      return false;
    }
    await runPlan(
      [
        { title: "Processes", run: () => stopNamespaces(paths) },
        { title: "Link and routes", run: () => disconnect(cluster.addresses) },
        { title: "Control groups", run: () => removeCgroups(cluster.cgroup) },
        { title: "Files", run: () => removeFiles(paths.directory) },
      ],
      progress,
    );
    return true;
  });
}

async function removeFiles(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  if ((await clusterNames()).length > 0) return;
  for (const folder of [...MOUNT_POINTS, CLUSTERS_DIR]) {
    // What is not empty belongs to somebody else.
    await rmdir(folder).catch(() => undefined);
  }
}
