import { createHash } from "node:crypto";
import type { Run } from "../api/run.ts";

const FIRST_DELAY_MS = 10_000;
const LONGEST_DELAY_MS = 600_000;
/** A missing input costs only a pod's start: it is looked for more often, and without a limit. */
const LONGEST_WAIT_FOR_INPUT_MS = 120_000;
const DEFAULT_LIMIT = 5;
/** Each delay is spread over this share of itself, so that what failed together does not come back together. */
const JITTER = 0.2;

export const retryLimit = (limit: number | undefined): number => limit ?? DEFAULT_LIMIT;

/** The same for the same Run: a restarted operator, or a second look, gives the same moment. */
function spread(run: Run): number {
  const fraction = createHash("sha256").update(run.metadata.uid).digest().readUInt32BE(0) / 2 ** 32;
  return 1 - JITTER / 2 + JITTER * fraction;
}

/** How long after the end of this failed Run the next try begins: 10 s, 20 s, 40 s … in milliseconds. */
export function retryDelayMs(run: Run): number {
  const longest = run.status?.outcome?.result === "Waiting" ? LONGEST_WAIT_FOR_INPUT_MS : LONGEST_DELAY_MS;
  const delay = Math.min(longest, FIRST_DELAY_MS * 2 ** Math.min(run.spec.attempt, 20));
  return Math.min(longest, Math.round(delay * spread(run)));
}

/**
 * When the next try after this failed Run begins. One that is further ahead than any pause was counted from an end that a clock wrote before
 * it was set back: how much of the pause has passed is not known then, and nobody waits for that clock.
 */
export function nextTryMs(run: Run, nowMs: number): number {
  const atMs = endedAtMs(run) + retryDelayMs(run);
  return atMs - nowMs > LONGEST_DELAY_MS ? nowMs : atMs;
}

export function endedAtMs(run: Run): number {
  return Date.parse(run.status?.finishedAt ?? run.metadata.creationTimestamp ?? "");
}
