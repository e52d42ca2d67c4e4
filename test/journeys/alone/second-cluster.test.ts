import assert from "node:assert/strict";
import { access, glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { awaitCondition } from "../../../tools/cluster/await-condition.ts";
import { clusterDown } from "../../../tools/cluster/cluster-down.ts";
import { clusterStatus } from "../../../tools/cluster/cluster-status.ts";
import { clusterUp } from "../../../tools/cluster/cluster-up.ts";
import { command, succeeds } from "../../../tools/cluster/command.ts";
import { findSupervisor } from "../../../tools/cluster/namespaces.ts";
import type { Cluster, ClusterPaths } from "../../../tools/cluster/paths.ts";
import { findCluster } from "../../../tools/cluster/slots.ts";
import { journey, journeys } from "../support/journey.ts";

journeys("a second cluster on the same machine", () => {
  journey(
    "stands beside the first, stands up again after a crash with what it had, and leaves nothing when it is taken down",
    async (place) => {
      const first = await clusterOf(place.installation.paths.name);
      const name = `${first.name}-two`;
      try {
        const paths = await clusterUp({ name, progress: "silent" });
        const second = await clusterOf(name);
        assert.notEqual(second.addresses.block, first.addresses.block);
        await place.kubectl(["get", "environments"]);
        await kubectl(paths, "create", "configmap", "kept", "--from-literal=a=b");

        await crash(paths);
        await clusterUp({ name, progress: "silent" });
        assert.equal((await clusterStatus(name)).healthy, true);
        assert.equal(await kubectl(paths, "get", "configmap", "kept", "-o", "jsonpath={.data.a}"), "b");

        assert.equal(await clusterDown({ name, progress: "silent" }), true);
        assert.deepEqual(await leftOf(second), []);
        assert.equal(await clusterDown({ name, progress: "silent" }), false, "there is none any more");
      } finally {
        await clusterDown({ name, progress: "silent" });
      }
    },
    { manner: "alone", within: 300 },
  );
});

const kubectl = ({ binDir, kubeconfig }: ClusterPaths, ...args: string[]) =>
  command(join(binDir, "kubectl"), ["--kubeconfig", kubeconfig, ...args]);

async function clusterOf(name: string): Promise<Cluster> {
  const cluster = await findCluster(name);
  assert.ok(cluster);
  return cluster;
}

/** What held it together is gone from one moment to the next, and everything in it, as when the machine loses its power. */
async function crash(paths: ClusterPaths): Promise<void> {
  const supervisor = await findSupervisor(paths);
  assert.ok(supervisor);
  process.kill(supervisor.pid, "SIGKILL");
  await awaitCondition("the cluster to have ended", 30, async () => {
    const { healthy, apiServer } = await clusterStatus(paths.name);
    return !healthy || `its API server: ${apiServer}`;
  });
}

/** Files, control groups, mounts, links and processes. */
async function leftOf({ paths, cgroup, addresses }: Cluster): Promise<readonly string[]> {
  const isThere = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  const left: string[] = [];
  if (await isThere(paths.directory)) left.push(paths.directory);
  for (const pattern of [`/sys/fs/cgroup/*${cgroup}`, `/sys/fs/cgroup${cgroup}`])
    for await (const folder of glob(pattern)) left.push(folder);
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n");
  left.push(...mounts.filter((mount) => mount.includes(`${paths.directory}/`)));
  if (await succeeds("ip", ["link", "show", addresses.hostLink])) left.push(addresses.hostLink);
  for await (const file of glob("/proc/[0-9]*/cmdline")) {
    const commandLine = await readFile(file, "utf8").catch(() => "");
    if (commandLine.includes(`${paths.directory}/`)) left.push(commandLine.replaceAll("\0", " "));
  }
  return left;
}
