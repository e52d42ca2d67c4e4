/**
 * How an agent says that it will not come again, also to a launcher that it has not reached: by a file beside the socket.
 * Both are told when their pod is to end, but a process that has just been started as process 1 does not hear a SIGTERM
 * until it has said what to do at one (the kernel drops it), and a kubelet says it once. Whoever has heard it tells the other.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const fileBeside = (socketPath: string): string => join(dirname(socketPath), "agent-gone");

export function sayFarewell(socketPath: string): void {
  try {
    // A new file of our own or none: code of the tenant can write to this folder, too, and may have left a link there.
    writeFileSync(fileBeside(socketPath), "", { flag: "wx" });
  } catch {
    // The launcher then waits for an agent as long as it does for one that has died.
  }
}

/** An agent that begins is there, whatever the one before it has said. */
export function takeBackFarewell(socketPath: string): void {
  rmSync(fileBeside(socketPath), { force: true });
}

export const hasSaidFarewell = (socketPath: string): boolean => existsSync(fileBeside(socketPath));
