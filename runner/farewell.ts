/**
 * How an agent says that it will not come again, also to a launcher that it has not reached: by a file beside the socket.
 * A kubelet tells both containers of a pod once that they are to end, and a process that has just begun as process 1
 * does not hear it: the kernel drops a SIGTERM for which that has no handler yet. So whoever has heard it tells the other.
 */
import { lstatSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const fileBeside = (socketPath: string): string => join(dirname(socketPath), "agent-gone");

/** For an agent that the kubelet does not start again. */
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
  rmSync(fileBeside(socketPath), { force: true, recursive: true });
}

/** True: no agent will come again. */
export function hasSaidFarewell(socketPath: string): boolean {
  return lstatSync(fileBeside(socketPath), { throwIfNoEntry: false })?.isFile() ?? false;
}
