import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { until } from "./until.ts";

/** Over one process of an API server's. */
export interface Power {
  freeze(): Promise<void>;
  thaw(): void;
  kill(): Promise<void>;
  /** The same program with the same arguments. */
  startAgain(): void;
}

export async function powerOf(first = 0): Promise<Power> {
  let pid = first;
  const [program = "", ...args] = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0").slice(0, -1);
  return {
    async freeze() {
      process.kill(pid, "SIGSTOP");
      await until(`${program} has stopped`, async () => (await stateOf(pid)) === "T");
    },
    thaw: () => void process.kill(pid, "SIGCONT"),
    async kill() {
      if (pid === 0) return;
      const ending = pid;
      const hasEnded = async () => ["", "Z"].includes(await stateOf(ending));
      pid = 0;
      if (await hasEnded()) return;
      process.kill(ending, "SIGKILL");
      await until(`${program} has ended`, hasEnded);
    },
    startAgain() {
      const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], { stdio: "ignore" });
      pid = child.pid ?? 0;
    },
  };
}

/** The letter of proc(5): T for stopped, Z when only its parent has not taken note yet; "" when it is gone. */
async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).slice(0, 1);
}
