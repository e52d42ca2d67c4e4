import { access, mkdir, statfs } from "node:fs/promises";
import { cacheDirectory } from "./binaries.ts";
import { succeeds } from "./command.ts";
import { CLUSTERS_DIR } from "./paths.ts";

const FIRST_TIME_GIB = 12;
const RUNNING_GIB = 2;

/** Said before anything else is touched. */
export function requireRoot(): void {
  if (process.platform !== "linux") throw new Error(`A local cluster needs Linux; this is ${process.platform}.`);
  if (process.getuid?.() === 0) return;
  throw new Error(
    "A local cluster needs root (namespaces, mounts, links, cgroups). Run it again with sudo, or as root.",
  );
}

/** Refuses, with what to do, on a machine that cannot run a cluster. `programsAreBuilt`: the big part of the disk is used already. */
export async function checkMachine(programsAreBuilt: boolean): Promise<void> {
  if (process.platform !== "linux") throw new Error(`A local cluster needs Linux; this is ${process.platform}.`);
  if (process.getuid?.() !== 0) {
    throw new Error(
      "A local cluster needs root (namespaces, mounts, links, cgroups). Run it again with sudo, or as root.",
    );
  }
  for (const program of ["unshare", "nsenter", "flock"]) {
    if (!(await succeeds(program, ["--version"])))
      throw new Error(`\`${program}\` is missing: apt-get install util-linux`);
  }
  await access("/sys/fs/cgroup").catch(() => {
    throw new Error("Control groups are not mounted at /sys/fs/cgroup.");
  });
  await requireDisk(CLUSTERS_DIR, RUNNING_GIB);
  if (!programsAreBuilt) await requireDisk(cacheDirectory(), FIRST_TIME_GIB);
}

async function requireDisk(folder: string, gibibytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / 2 ** 30;
  if (free >= gibibytes) return;
  throw new Error(
    `The disk of ${folder} has ${free.toFixed(1)} GiB free, and ${gibibytes} GiB are needed. ` +
      "Free some, or set XDG_CACHE_HOME to a folder on a larger disk.",
  );
}
