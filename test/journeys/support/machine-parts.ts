/** The parts of the cluster itself, as processes that can be killed: whoever started them starts them again. */
import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Place } from "./place.ts";

export type MachinePart = "containerd" | "kubelet" | "kube-apiserver" | "etcd";

/** Numbers of the processes of that part, which name this cluster's folder; those of other clusters do not. */
async function pidsOf({ installation }: Place, part: MachinePart): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const [program = "", ...args] = (await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "")).split("\0");
    const ofThis = args.some((arg) => arg.includes(`${installation.paths.directory}/`));
    if (basename(program) === part && ofThis) found.push(Number(entry));
  }
  return found;
}

/** SIGKILL; resolves when the part has been started again. Fails where there is none, since a test that kills nothing shows nothing. */
export async function killPart(place: Place, part: MachinePart): Promise<void> {
  const before = await pidsOf(place, part);
  if (before.length === 0) throw new Error(`no ${part} runs in this cluster`);
  for (const pid of before) process.kill(pid, "SIGKILL");
  const giveUpAt = performance.now() + 60_000;
  while (!(await pidsOf(place, part)).some((pid) => !before.includes(pid))) {
    if (performance.now() > giveUpAt) throw new Error(`${part} was not started again`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
