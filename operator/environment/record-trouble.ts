import type { Run } from "../api/run.ts";
import { isJustNow, leftLock } from "./lock-standing.ts";
import { lossOf } from "./lost-state.ts";
import type { ComponentPast, ComponentSeen, Observation } from "./observation.ts";
import { endedAtMs } from "./retry.ts";
import type { Answer } from "./verdict.ts";

const LOOK_AGAIN_MS = 1_000;

/** Is there something about the stored state that forbids to go on? */
export function recordTrouble(seen: ComponentSeen): Answer | undefined {
  return ownedByOther(seen) ?? unresolvedRecovery(seen) ?? lostState(seen) ?? leftLock(seen);
}

function ownedByOther({ observation, past }: ComponentSeen): Answer | undefined {
  const { environment } = observation;
  const { record } = past;
  if (record === undefined || record.ownership === "Released") return undefined;
  const owner = record.owner.environmentUid;
  if (owner === environment.metadata.uid || owner === environment.spec.adopt?.uid) return undefined;
  return {
    state: "Stalled",
    reason: "StateOwnedByOther",
    message: `the state ${past.name} belongs to the Environment with UID ${owner}; to take it over, set spec.adopt.uid to that UID`,
  };
}

function unresolvedRecovery({ past }: Pick<ComponentSeen, "past">): Answer | undefined {
  const recovery = past.record?.recovery;
  if (recovery === undefined) return undefined;
  return {
    state: "Stalled",
    reason: "StateUnsaved",
    // What to do comes first: the status cuts long messages.
    message: `restore the recovery copy or a version of the state (docs/state.md): Run ${recovery.run} could not store its state in the ordinary way, and nothing is planned before`,
  };
}

/** What the Runs recorded is not in the store: the cache is late, or the store lost it. */
export function lostState({ observation, past }: ComponentSeen): Answer | undefined {
  const { nowMs } = observation;
  const loss = lossOf(past);
  if (loss === undefined) return behindTheDestroy(observation, past);
  if (isJustNow(endedAtMs(loss.run), nowMs)) return beingRecorded(loss.run, nowMs);
  return {
    state: "Stalled",
    reason: "StateLost",
    // What to do comes first: the status cuts long messages.
    message: `restore or push a state (docs/state.md): Run ${loss.run.spec.number} left one ${loss.what}; nothing is applied or destroyed until then`,
  };
}

/** The record is still that from before the destroy: nothing follows from it. */
function behindTheDestroy({ nowMs }: Observation, past: ComponentPast): Answer | undefined {
  const { record } = past;
  const run = past.runs.find(({ status }) => status?.phase === "Succeeded");
  if (run?.spec.operation !== "Destroy") return undefined;
  const recorded = record?.lastResult?.runUid === run.metadata.uid;
  const older = record?.mayHoldObjects === true && !recorded && (record.claim?.number ?? 0) <= run.spec.number;
  return older && isJustNow(endedAtMs(run), nowMs) ? beingRecorded(run, nowMs) : undefined;
}

function beingRecorded(run: Run, nowMs: number): Answer {
  return {
    state: "Pending",
    reason: "Progressing",
    message: `the result of Run ${run.spec.number} is being recorded`,
    wakeAtMs: nowMs + LOOK_AGAIN_MS,
  };
}
