import { spawn } from "node:child_process";
import { access, copyFile, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { awaitCondition } from "./await-condition.ts";
import { command } from "./command.ts";
import { writePrivateFile } from "./kubeconfig.ts";
import type { Cluster, ClusterPaths } from "./paths.ts";
import { identify, isAlive, namespacePids, type ProcessIdentity } from "./processes.ts";

const SUPERVISOR = join(import.meta.dirname, "supervise.sh");
const NAMESPACES = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];

/**
 * Starts the process that holds a cluster's namespaces and its components. Ending it ends everything in them: processes,
 * mounts and links.
 */
export async function startNamespaces(cluster: Cluster): Promise<ProcessIdentity> {
  const { directory, logsDir, runDir } = cluster.paths;
  await rm(runDir, { recursive: true, force: true });
  await mkdir(runDir, { recursive: true, mode: 0o700 });
  // bash reads a script while it runs it: a copy does not change under it.
  const script = join(runDir, "supervise.sh");
  await copyFile(SUPERVISOR, script);

  const log = await open(join(logsDir, "supervisor.log"), "w");
  try {
    const child = spawn("unshare", [...NAMESPACES, "bash", script, directory], {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    child.once("error", () => undefined);
    child.unref();
    const identity = child.pid === undefined ? undefined : await identify(child.pid);
    if (identity === undefined) throw new Error("cannot run `unshare` (package util-linux)");
    await writePrivateFile(identityFile(cluster.paths), JSON.stringify(identity));
    await awaitPrepared(cluster.paths, identity);
    return identity;
  } finally {
    await log.close();
  }
}

async function awaitPrepared(paths: ClusterPaths, identity: ProcessIdentity): Promise<void> {
  const prepared = join(paths.runDir, "prepared");
  await awaitCondition("the cluster's namespaces", 15, async () => {
    if (await exists(prepared)) return true;
    if (await isAlive(identity)) return "they are being prepared";
    throw new Error(
      `the cluster's namespaces could not be made:\n${await readFile(join(paths.logsDir, "supervisor.log"), "utf8")}`,
    );
  });
}

/** The process that holds the namespaces, if it lives. */
export async function findSupervisor(paths: ClusterPaths): Promise<ProcessIdentity | undefined> {
  const text = await readFile(identityFile(paths), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const identity: ProcessIdentity = JSON.parse(text);
  return (await isAlive(identity)) ? identity : undefined;
}

/** Ends everything that runs in a cluster, and waits until the last of its processes is gone. */
export async function stopNamespaces(paths: ClusterPaths): Promise<void> {
  const supervisor = await findSupervisor(paths);
  if (supervisor === undefined) return;
  const inside = [...(await namespacePids(supervisor.pid)).values()];
  const identities = await Promise.all(inside.map(identify));
  process.kill(supervisor.pid, "SIGKILL");
  await awaitCondition(`the processes of the cluster ${paths.name} to end`, 60, async () => {
    const alive = await Promise.all([supervisor, ...identities].map((one) => (one ? isAlive(one) : false)));
    const left = alive.filter(Boolean).length;
    return left === 0 || `${left} are left`;
  });
}

/** Runs a program in the cluster's mount and network namespaces. */
export async function inNamespaces(
  supervisor: ProcessIdentity,
  program: string,
  args: readonly string[],
): Promise<string> {
  return command("nsenter", ["--target", `${supervisor.pid}`, "--mount", "--net", "--", program, ...args]);
}

function identityFile(paths: ClusterPaths): string {
  return join(paths.runDir, "supervisor.json");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
