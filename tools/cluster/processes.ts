import { readdir, readFile, readlink } from "node:fs/promises";

/** Names one process for good: its number alone may belong to another one after a crash or a reboot. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
}

export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startTicks = await startTicksOf(pid);
  return startTicks === undefined ? undefined : { pid, startTicks, bootId: await bootId() };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return identity.bootId === (await bootId()) && identity.startTicks === (await startTicksOf(identity.pid));
}

/** Every process of the namespace that children of `parent` live in: its number there → its number here. */
export async function namespacePids(parent: number): Promise<ReadonlyMap<number, number>> {
  const namespace = await readlink(`/proc/${parent}/ns/pid_for_children`).catch(() => undefined);
  const pids = new Map<number, number>();
  if (namespace === undefined) return pids;
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    if ((await readlink(`/proc/${entry}/ns/pid`).catch(() => undefined)) !== namespace) continue;
    const inner = innerPid(await readFile(`/proc/${entry}/status`, "utf8").catch(() => ""));
    if (inner !== undefined) pids.set(inner, Number(entry));
  }
  return pids;
}

/** `NSpid:  4711  12` → 12: the last number is the one in the innermost namespace. */
export function innerPid(status: string): number | undefined {
  const line = /^NSpid:\s*(.+)$/m.exec(status)?.[1];
  const last = line?.trim().split(/\s+/).at(-1);
  return last === undefined ? undefined : Number(last);
}

/** Field 22 of `/proc/PID/stat`; the name in field 2 may hold blanks and brackets. Nothing for a dead process. */
async function startTicksOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" ? undefined : fields?.[19];
}

async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}
