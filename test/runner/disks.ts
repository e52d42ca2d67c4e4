/** Small disks in memory, which a test can fill. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Mounts one at each folder. They go with this process, however it ends, if not before. */
export function mountDisks(root: string, sizes: Readonly<Record<string, number>>): { readonly unmount: () => void } {
  const mounted: string[] = [];
  const unmount = () => {
    for (const path of mounted.splice(0)) execFileSync("umount", ["--lazy", path]);
    process.off("exit", unmount);
  };
  process.on("exit", unmount);
  for (const [name, bytes] of Object.entries(sizes)) {
    const path = join(root, name);
    mkdirSync(path, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes},nr_inodes=${FILES}`, "tmpfs", path]);
    mounted.push(path);
  }
  return { unmount };
}

/** How many files a disk takes. */
const FILES = 500;

/** What takes up the room. */
export const FILLING = "filled-by-the-test";

/** Leaves no room for a single byte, or not even for the name of an empty file. */
export function fillDisk(path: string, utterly = false): void {
  const file = openSync(join(path, FILLING), "a");
  const block = Buffer.alloc(64 * 1024);
  untilFull(() => writeSync(file, block));
  closeSync(file);
  let number = 0;
  if (utterly) untilFull(() => closeSync(openSync(join(path, `${FILLING}-${number++}`), "w")));
}

function untilFull(write: () => void): void {
  try {
    for (;;) write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}
