import { access, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { awaitCondition } from "./await-condition.ts";

const MOUNT = "/sys/fs/cgroup";

/** Makes the folder below which the kubelet keeps those of its pods, in every hierarchy. */
export async function createCgroups(cgroup: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    const folder = join(hierarchy, cgroup);
    await mkdir(folder, { recursive: true });
    // A new cpuset of version 1 is empty, and no process can enter an empty one.
    for (const setting of ["cpuset.cpus", "cpuset.mems"]) await copySetting(hierarchy, folder, setting);
    await delegateControllers(hierarchy);
  }
}

/** Removes the folders from the leaves up, as soon as the last process in them is gone. */
export async function removeCgroups(cgroup: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    await awaitCondition(`the cgroup ${cgroup} in ${hierarchy} to be empty`, 30, () =>
      removeTree(join(hierarchy, cgroup)),
    );
  }
}

async function removeTree(folder: string): Promise<true | string> {
  const children = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const child of children) {
    const removed = child.isDirectory() ? await removeTree(join(folder, child.name)) : true;
    if (removed !== true) return removed;
  }
  try {
    await rmdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return true;
    return error instanceof Error ? error.message : String(error);
  }
  return true;
}

/** Version 1 has a tree for each controller, version 2 has one; where both are mounted pods need a folder in each. */
async function hierarchies(): Promise<string[]> {
  if (await exists(join(MOUNT, "cgroup.controllers"))) return [MOUNT];
  const folders = await readdir(MOUNT, { withFileTypes: true });
  // Links such as cpu → cpu,cpuacct are no directories here, and their targets are listed, too.
  return folders.filter((folder) => folder.isDirectory()).map((folder) => join(MOUNT, folder.name));
}

async function copySetting(from: string, to: string, setting: string): Promise<void> {
  const value = await readFile(join(from, setting), "utf8").catch(() => undefined);
  if (value !== undefined && value.trim() !== "") await writeFile(join(to, setting), value);
}

async function delegateControllers(hierarchy: string): Promise<void> {
  const controllers = await readFile(join(hierarchy, "cgroup.controllers"), "utf8").catch(() => "");
  for (const controller of controllers.split(/\s+/).filter(Boolean)) {
    // Some cannot be delegated while the root has processes; the kubelet says which one it misses.
    await writeFile(join(hierarchy, "cgroup.subtree_control"), `+${controller}`).catch(() => undefined);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
