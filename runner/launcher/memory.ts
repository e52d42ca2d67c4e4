/** What the kernel says about the container's memory, for both generations of control groups. */
import { readFileSync } from "node:fs";

export interface MemoryReading {
  readonly peakBytes?: number;
  readonly outOfMemoryKills?: number;
}

export function readMemory(root = "/sys/fs/cgroup"): MemoryReading {
  const peak = firstNumber([`${root}/memory.peak`, `${root}/memory/memory.max_usage_in_bytes`], /^(\d+)/);
  const kills = firstNumber([`${root}/memory.events`, `${root}/memory/memory.oom_control`], /^oom_kill (\d+)/m);
  return {
    ...(peak === undefined ? {} : { peakBytes: peak }),
    ...(kills === undefined ? {} : { outOfMemoryKills: kills }),
  };
}

function firstNumber(paths: readonly string[], pattern: RegExp): number | undefined {
  for (const path of paths) {
    try {
      const found = pattern.exec(readFileSync(path, "utf8"))?.[1];
      if (found !== undefined) return Number(found);
    } catch {
      // The file of the other generation, or no control groups at all.
    }
  }
  return undefined;
}
