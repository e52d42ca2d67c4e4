/** A disk that takes no more: how it is known, and what a person is told. */
import { statfs } from "node:fs/promises";
import type { Outcome } from "./ending.ts";
import { cut } from "./engine-failure.ts";

const ADVICE =
  "the disk on which the pod works is full: free space on its node, or choose nodes with more in runner.nodeSelector";

export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

/** Before anything is applied. */
export function diskFull(why: string): Outcome {
  return { result: "Failed", reason: "DiskFull", message: advised(`Nothing was applied. ${why}`), retry: "Backoff" };
}

/**
 * The failure of an engine, and that a full disk may be why: programs that cannot write say so in many ways, and some do
 * not say it at all.
 */
export async function withFullDisk(outcome: Outcome, folder: string): Promise<Outcome> {
  const decided = outcome.reason === "OutOfMemory" || outcome.reason === "TimedOut" || outcome.reason === "RunnerLost";
  if (outcome.result !== "Failed" || decided) return outcome;
  if (!/no space left on device|\((ENOSPC|EDQUOT)\)/i.test(outcome.message) && !(await hasNoRoom(folder)))
    return outcome;
  const inApply = outcome.reason === "ApplyFailed" || outcome.reason === "DestroyFailed";
  if (inApply) return { ...outcome, message: advised(outcome.message) };
  const { diagnostics } = outcome;
  return { ...diskFull(outcome.message), ...(diagnostics === undefined ? {} : { diagnostics }) };
}

async function hasNoRoom(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize < 64 * 1024;
}

function advised(why: string): string {
  return cut(`${ADVICE}. ${why}`);
}
