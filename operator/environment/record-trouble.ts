import type { Run } from "../api/run.ts";
import type { ComponentRecord } from "../storage/record.ts";
import { writtenSince } from "./attempts.ts";
import type { ComponentSeen, Observation } from "./observation.ts";
import { endedAtMs } from "./retry.ts";
import type { Answer } from "./verdict.ts";

/** The watch on records may be this far behind the one on Runs before the difference means a loss. */
const RECORD_LAG_MS = 30_000;
const LOOK_AGAIN_MS = 1_000;

/** Is there something about the stored state that forbids to go on? */
export function recordTrouble(seen: ComponentSeen): Answer | undefined {
  return ownedByOther(seen) ?? unresolvedRecovery(seen) ?? behindTheRuns(seen);
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

/** A Run is recorded as successful, and the store does not know of it: the cache is late, or the store went back in time. */
function behindTheRuns({ observation, past }: ComponentSeen): Answer | undefined {
  const run = past.runs.find(({ status }) => status?.phase === "Succeeded");
  const outcome = run?.status?.outcome;
  if (run === undefined || outcome === undefined || writtenSince(past, run)) return undefined;
  if (run.spec.operation === "Destroy") return behindTheDestroy(observation, past.record, run);
  const { record } = past;
  const known = (record?.applied?.number ?? 0) >= run.spec.number;
  const serialFits = (record?.state?.serial ?? 0) >= (outcome.stateSerial ?? 0);
  if (known && serialFits) return undefined;
  if (observation.nowMs - endedAtMs(run) < RECORD_LAG_MS) {
    return beingRecorded(run, observation.nowMs);
  }
  return {
    state: "Stalled",
    reason: "StateLost",
    message: `Run ${run.spec.number} left a state with serial ${outcome.stateSerial ?? 0}, and the store has ${record?.state === undefined ? "none" : `serial ${record.state.serial}`}: restore the state from a backup; nothing is applied or destroyed until then`,
  };
}

/** The record is still that from before the destroy: nothing follows from it. */
function behindTheDestroy({ nowMs }: Observation, record: ComponentRecord | undefined, run: Run): Answer | undefined {
  const recorded = record?.lastResult?.runUid === run.metadata.uid;
  const older = record?.mayHoldObjects === true && !recorded && (record.claim?.number ?? 0) <= run.spec.number;
  return older && nowMs - endedAtMs(run) < RECORD_LAG_MS ? beingRecorded(run, nowMs) : undefined;
}

function beingRecorded(run: Run, nowMs: number): Answer {
  return {
    state: "Pending",
    reason: "Progressing",
    message: `the result of Run ${run.spec.number} is being recorded`,
    wakeAtMs: nowMs + LOOK_AGAIN_MS,
  };
}
