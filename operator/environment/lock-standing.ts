import { isClosed, type Run } from "../api/run.ts";
import { type Holder, holderOf } from "../storage/record.ts";
import type { ComponentPast, ComponentSeen } from "./observation.ts";
import { endedAtMs } from "./retry.ts";
import type { Answer } from "./verdict.ts";

/** The watch on records may be this far behind the one on Runs before a difference means something. */
const RECORD_LAG_MS = 30_000;
const LOOK_AGAIN_MS = 1_000;

/** It happened so short a time ago that the record may not show it yet. A clock that was set back since is no reason to wait for hours. */
export const isJustNow = (atMs: number, nowMs: number): boolean => Math.abs(nowMs - atMs) < RECORD_LAG_MS;

/** Live: its Run is under way. Orphaned: ours, and nobody can give it back. Foreign: of no Run of this Environment. */
export type LockStanding = "Live" | "Orphaned" | "Foreign";

export interface HeldLock {
  readonly holder: Holder;
  readonly standing: LockStanding;
  /** The Run that took it, where it is known. */
  readonly run: Run | undefined;
}

/** Who holds a component's state, by its lock or by a claim alone, and whether the holder can still give it back. */
export function heldLock({ runs, record }: Pick<ComponentPast, "runs" | "record">, uid: string): HeldLock | undefined {
  const holder = record === undefined ? undefined : holderOf(record);
  if (record === undefined || holder === undefined) return undefined;
  const run = runs.find(({ metadata }) => metadata.uid === holder.runUid);
  // A claim is made by Runs of the owner only; those of a former one are not seen here, and may be under way.
  const claimedHere = record.owner.environmentUid === uid && record.claim?.runUid === holder.runUid;
  const living = run !== undefined && !isClosed(run) && !isLost(run);
  return { holder, run, standing: living ? "Live" : run !== undefined || claimedHere ? "Orphaned" : "Foreign" };
}

const isLost = ({ status }: Run): boolean =>
  status?.conditions?.some(({ type, reason }) => type === "Succeeded" && reason === "ProofOfDeathMissing") ?? false;

/** No Run is under way, and the state is held all the same: another one would only be refused. */
export function leftLock({ observation, past }: ComponentSeen): Answer | undefined {
  const held = heldLock(past, observation.environment.metadata.uid);
  if (held === undefined || held.standing === "Live") return undefined;
  const { holder, run, standing } = held;
  const { nowMs } = observation;
  const knownMs = run === undefined ? Date.parse(holder.since) : endedAtMs(run);
  if (isJustNow(knownMs, nowMs)) {
    // A Run gives up its claim in the moment in which it closes: which of the two is seen first is no news.
    if (run !== undefined && holder.by === "claim") return undefined;
    const message = `the end of Run ${holder.run} is being recorded`;
    return { state: "Pending", reason: "Progressing", message, wakeAtMs: nowMs + LOOK_AGAIN_MS };
  }
  const whose =
    standing === "Foreign" ? `Run ${holder.run} of another Environment` : `Run ${holder.run}, which has ended,`;
  return {
    state: "Stalled",
    reason: standing === "Foreign" ? "LockForeign" : "LockOrphaned",
    message: `release the ${holder.by} of the state (docs/state.md) when nothing of pod ${holder.pod} runs any more: ${whose} holds it`,
  };
}
