/** No process of one phase may live on into the next: what a plan started must not wait for the credentials of an apply. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/**
 * Kills every other process of the container. Only as process 1, so that a launcher that was started elsewhere (on a
 * developer's machine, in a shared namespace) never reaches beyond its own container.
 */
export async function killStrangers(): Promise<number> {
  if (process.pid !== 1) return 0;
  const found = livingStrangers().length;
  const deadline = Date.now() + 5_000;
  while (livingStrangers().length > 0) {
    killAllOthers();
    if (Date.now() > deadline) throw new Error(`processes survive SIGKILL: ${livingStrangers().join(", ")}`);
    await delay(5);
  }
  return found;
}

/** From process 1, -1 means everyone else of the namespace, at one instant: nobody can fork in between. */
function killAllOthers(): void {
  try {
    process.kill(-1, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Without the dead ones: orphans become children of process 1, and Node reaps only what it started. They hold no resources. */
export function livingStrangers(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => isAlive(name))
    .map(Number);
}

function isAlive(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
    return state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}
