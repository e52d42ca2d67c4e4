import { isClosed, type Run } from "../api/run.ts";
import type { StateLock } from "../storage/record.ts";
import type { ComponentPast, ComponentSeen } from "./observation.ts";
import { endedAtMs } from "./retry.ts";
import type { Answer } from "./verdict.ts";

/** The watch on records may be this far behind the one on Runs before a difference means something. */
export const RECORD_LAG_MS = 30_000;
const LOOK_AGAIN_MS = 1_000;

/** Live: its Run is under way. Orphaned: ours, and nobody can give it back. Foreign: of no Run of this Environment. */
export type LockStanding = "Live" | "Orphaned" | "Foreign";

export interface HeldLock {
  readonly lock: StateLock;
  readonly standing: LockStanding;
  /** The Run that took it, where it is known. */
  readonly run: Run | undefined;
}

/** Who holds the lock of a component's state, and whether the holder can still give it back. */
export function heldLock({ runs, record }: Pick<ComponentPast, "runs" | "record">): HeldLock | undefined {
  const lock = record?.lock;
  if (lock === undefined) return undefined;
  const run = runs.find(({ metadata }) => metadata.uid === lock.runUid);
  const ours = run !== undefined || record?.claim?.runUid === lock.runUid;
  const living = run !== undefined && !isClosed(run) && !isLost(run);
  return { lock, run, standing: living ? "Live" : ours ? "Orphaned" : "Foreign" };
}

const isLost = ({ status }: Run): boolean =>
  status?.conditions?.some(({ type, reason }) => type === "Succeeded" && reason === "ProofOfDeathMissing") ?? false;

/** No Run is under way, and the state is locked all the same: another one would only be refused. */
export function leftLock({ observation, past }: ComponentSeen): Answer | undefined {
  const held = heldLock(past);
  if (held === undefined || held.standing === "Live") return undefined;
  const { lock, run, standing } = held;
  const { nowMs } = observation;
  const knownMs = run === undefined ? Date.parse(lock.since) : endedAtMs(run);
  if (nowMs - knownMs < RECORD_LAG_MS) {
    const message = `the end of Run ${lock.run} is being recorded`;
    return { state: "Pending", reason: "Progressing", message, wakeAtMs: nowMs + LOOK_AGAIN_MS };
  }
  const whose = standing === "Foreign" ? `Run ${lock.run} of another Environment` : `Run ${lock.run}, which has ended,`;
  return {
    state: "Stalled",
    reason: standing === "Foreign" ? "LockForeign" : "LockOrphaned",
    message: `release the lock of the state (docs/state.md) when nothing of pod ${lock.pod} runs any more: ${whose} holds it`,
  };
}
