import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Runs `work` while no other process holds the lock file. The kernel holds the lock (flock), so that it is released
 * however this process ends; `onWait` is called once when another process has it.
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  let release = await acquire(file, ["--nonblock"]);
  if (release === undefined) {
    onWait();
    release = await acquire(file, []);
  }
  if (release === undefined) throw new Error(`cannot lock ${file}: is \`flock\` of util-linux installed?`);
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Holds the lock in a child that lives as long as its standard input is open, which is at most as long as we live. */
async function acquire(file: string, mode: readonly string[]): Promise<(() => Promise<void>) | undefined> {
  const holder = spawn("flock", [...mode, "--exclusive", file, "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = new Promise<void>((resolve) => {
    holder.once("close", () => resolve());
    holder.once("error", () => resolve());
  });
  const held = await Promise.race([
    new Promise<boolean>((resolve) => holder.stdout.once("data", () => resolve(true))),
    ended.then(() => false),
  ]);
  if (!held) return undefined;
  return async () => {
    holder.stdin.end();
    await ended;
  };
}
