import { access, mkdir, statfs } from "node:fs/promises";
import { succeeds } from "./command.ts";
import { CLUSTERS_DIR, cacheDirectory } from "./paths.ts";

const FIRST_TIME_GIB = 12;
const RUNNING_GIB = 2;

/** What is asked of the machine before anything is started on it. */
export interface Machine {
  readonly platform: string;
  readonly isRoot: boolean;
  readonly has: (program: string) => Promise<boolean>;
  readonly hasFolder: (folder: string) => Promise<boolean>;
  /** Of the folder's disk; makes the folder. */
  readonly freeGibibytes: (folder: string) => Promise<number>;
}

const thisMachine: Machine = {
  platform: process.platform,
  isRoot: process.getuid?.() === 0,
  has: (program) => succeeds(program, ["--version"]),
  hasFolder: (folder) =>
    access(folder).then(
      () => true,
      () => false,
    ),
  async freeGibibytes(folder) {
    await mkdir(folder, { recursive: true });
    const { bavail, bsize } = await statfs(folder);
    return (bavail * bsize) / 2 ** 30;
  },
};

/** Said before anything else is touched. */
export function requireRoot({ platform, isRoot }: Pick<Machine, "platform" | "isRoot"> = thisMachine): void {
  if (platform !== "linux") throw new Error(`A local cluster needs Linux; this is ${platform}.`);
  if (isRoot) return;
  throw new Error(
    "A local cluster needs root (namespaces, mounts, links, cgroups). Run it again with sudo, or as root.",
  );
}

/** Refuses, with what to do, on a machine that cannot run a cluster. `programsAreBuilt`: the big part of the disk is used already. */
export async function checkMachine(programsAreBuilt: boolean, machine: Machine = thisMachine): Promise<void> {
  requireRoot(machine);
  for (const program of ["unshare", "nsenter", "flock"]) {
    if (!(await machine.has(program))) throw new Error(`\`${program}\` is missing: apt-get install util-linux`);
  }
  if (!(await machine.hasFolder("/sys/fs/cgroup")))
    throw new Error("Control groups are not mounted at /sys/fs/cgroup.");
  await requireDisk(CLUSTERS_DIR, RUNNING_GIB, machine);
  if (!programsAreBuilt) await requireDisk(cacheDirectory(), FIRST_TIME_GIB, machine);
}

async function requireDisk(folder: string, gibibytes: number, { freeGibibytes }: Machine): Promise<void> {
  const free = await freeGibibytes(folder);
  if (free >= gibibytes) return;
  const elsewhere = folder === CLUSTERS_DIR ? "" : ", or set XDG_CACHE_HOME to a folder on a larger disk";
  throw new Error(
    `The disk of ${folder} has ${free.toFixed(1)} GiB free, and ${gibibytes} GiB are needed. Free some${elsewhere}.`,
  );
}
