/** Containers of pods, seen as what they are on this machine: processes that can be told apart by their cgroup. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "../../../operator/cluster/kinds.ts";
import { awaitCondition } from "../../../tools/cluster/await-condition.ts";
import { command } from "../../../tools/cluster/command.ts";
import { patience } from "./patience.ts";

export interface HostProcess {
  readonly pid: number;
  readonly commandLine: string;
}

/** Processes of a container whose command line matches; numbers are those of this machine. */
export async function processesOf(pod: Pod, container: string, pattern = /./): Promise<readonly HostProcess[]> {
  const id = containerId(pod, container);
  const found: HostProcess[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const groups = await readFile(`/proc/${entry}/cgroup`, "utf8").catch(() => "");
    if (!groups.includes(id)) continue;
    const text = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    const commandLine = text.replaceAll("\0", " ").trim();
    if (pattern.test(commandLine)) found.push({ pid: Number(entry), commandLine });
  }
  return found;
}

/** Sends a signal to each of them; fails where there is none, since a test that kills nothing shows nothing. */
export async function signalProcesses(
  pod: Pod,
  container: string,
  pattern: RegExp,
  signal: NodeJS.Signals,
): Promise<void> {
  const processes = await processesOf(pod, container, pattern);
  if (processes.length === 0) {
    const all = await processesOf(pod, container);
    throw new Error(`${container} has no process like ${pattern}: ${all.map((one) => one.commandLine).join("; ")}`);
  }
  for (const { pid } of processes) process.kill(pid, signal);
}

/** Waits until the container has no such process any more: seen on the machine itself, whatever has become of the cluster. */
export async function untilEnded(pod: Pod, container: string, pattern: RegExp): Promise<void> {
  await awaitCondition(`${container} to end ${pattern}`, 60 * patience, async () => {
    const left = await processesOf(pod, container, pattern);
    return left.length === 0 || `${left.length} run`;
  });
}

/** As a node's out-of-memory killer or a lost machine would: no container of the pod has time for a word. */
export async function killContainers(pod: Pod, containers?: readonly string[]): Promise<void> {
  killProcesses(await processesIn([pod], containers));
}

/** All that runs in these containers; fails where nothing does, since a test that kills nothing shows nothing. */
export async function processesIn(
  pods: readonly Pod[],
  containers: readonly string[] = ["agent", "engine"],
): Promise<readonly HostProcess[]> {
  const lists = await Promise.all(pods.flatMap((pod) => containers.map((container) => processesOf(pod, container))));
  if (lists.flat().length === 0) {
    const names = pods.map(({ metadata }) => metadata.name).join(", ");
    throw new Error(`nothing runs in ${containers.join(" and ")} of ${names === "" ? "no pod" : names}`);
  }
  return lists.flat();
}

/** SIGKILL for each of them that is still there. */
export function killProcesses(processes: readonly HostProcess[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Its parent was faster.
    }
  }
}

/** Files of a folder as the container sees it, by name. */
export async function filesIn(pod: Pod, container: string, folder: string): Promise<ReadonlyMap<string, string>> {
  const [process] = await processesOf(pod, container);
  if (process === undefined) throw new Error(`the pod's ${container} does not run`);
  const there = join(`/proc/${process.pid}/root`, folder);
  const names = (await readdir(there)).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(there, name), "utf8")] as const)),
  );
}

/** Runs something in the pod's own network: what it cuts off there nobody else notices. */
export async function inPodNetwork(pod: Pod, program: string, args: readonly string[], input = ""): Promise<string> {
  const [process] = await processesOf(pod, "agent");
  if (process === undefined) throw new Error("the pod's agent does not run");
  return command("nsenter", ["--target", `${process.pid}`, "--net", "--", program, ...args], { input });
}

function containerId(pod: Pod, container: string): string {
  const status = pod.status?.containerStatuses?.find(({ name }) => name === container);
  const id = status?.containerID?.replace(/^containerd:\/\//, "");
  if (!id) throw new Error(`container ${container} of ${pod.metadata.name} has not started`);
  return id;
}
