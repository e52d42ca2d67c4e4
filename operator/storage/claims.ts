import { type Change, without } from "./change.ts";
import { type Claim, type ComponentRecord, type StateKey, stateKeyText, type UsedOutput } from "./record.ts";
import { Refused } from "./refusal.ts";

/** A pod that works, or wants to work, on one phase of one Run. */
export interface Claimant {
  readonly key: StateKey;
  readonly environmentUid: string;
  readonly run: string;
  readonly runUid: string;
  /** Number of the Run: Runs of one component are numbered upwards. */
  readonly number: number;
  readonly phase: "Plan" | "Apply";
  readonly pod: string;
  readonly podUid: string;
}

/**
 * Binds a record to one pod. The same pod may ask again; anybody else is refused until the claim is fenced and no lock is held. `outputs` are
 * the values that this work order carries.
 */
export function claim(
  record: ComponentRecord,
  claimant: Claimant,
  at: Date,
  outputs: readonly UsedOutput[] = [],
): Change<Claim> {
  mustBelong(record, claimant);
  if (record.lastResult?.runUid === claimant.runUid)
    throw new Refused("Fenced", `Run ${claimant.run} has reported its result already`);
  const current = record.claim;
  if (current !== undefined) {
    if (isHeldBy(current, claimant)) return claimedAgain(record, unfenced(current), outputs);
    mustBeReplaceable(record, current, claimant);
  }
  if (record.lock !== undefined)
    throw new Refused("Locked", `Run ${record.lock.run} holds the lock of the state`, record.lock);
  if (record.recovery !== undefined)
    throw new Refused("StateUnsaved", `Run ${record.recovery.run} left a recovery copy of the state: resolve it first`);
  const made = { ...claimOf(claimant, at), ...heldArchive(record, claimant), outputs };
  return { next: { ...record, claim: made }, answer: made };
}

/** Whoever comes to apply needs a plan that waits for it, and destroys, if need be, from what that was made of. */
function heldArchive({ held }: ComponentRecord, { phase, run, runUid }: Claimant): Pick<Claim, "archive"> {
  if (phase === "Plan") return {};
  if (held?.runUid !== runUid) throw new Refused("Fenced", `no plan of Run ${run} waits to be applied`);
  return held.archive === undefined ? {} : { archive: held.archive };
}

/** An agent that was restarted before anything was applied works with what its new order says. */
function claimedAgain(record: ComponentRecord, current: Claim, outputs: readonly UsedOutput[]): Change<Claim> {
  const same = JSON.stringify(current.outputs) === JSON.stringify(outputs);
  if (same || current.applying !== undefined) return { answer: current };
  const renewed = { ...current, outputs };
  return { next: { ...record, claim: renewed }, answer: renewed };
}

function claimOf({ run, runUid, number, phase, pod, podUid }: Claimant, at: Date): Claim {
  return { run, runUid, number, phase, pod, podUid, at: at.toISOString() };
}

const isHeldBy = (claim: Claim, { runUid, phase, podUid }: Claimant): boolean =>
  claim.runUid === runUid && claim.phase === phase && claim.podUid === podUid;

function mustBeReplaceable(record: ComponentRecord, current: Claim, claimant: Claimant): void {
  const { run, runUid, phase, number } = claimant;
  if (current.runUid === runUid && (current.phase === phase || current.phase === "Apply"))
    throw new Refused("AlreadyClaimed", `another pod (UID ${current.podUid}) has claimed Run ${run}`);
  if (current.runUid !== runUid && current.number !== undefined && number < current.number)
    throw new Refused("Fenced", `Run ${run} (number ${number}) is older than Run ${current.run} (${current.number})`);
  if (current.fenced !== undefined) return;
  if (record.lock !== undefined)
    throw new Refused("Locked", `Run ${record.lock.run} holds the lock of the state`, record.lock);
  throw new Refused("AlreadyClaimed", `Run ${current.run} has not ended`);
}

function mustBelong(record: ComponentRecord, claimant: Claimant): void {
  mustBeOwned(record, claimant);
  if (record.movingTo !== undefined)
    throw new Refused("Moving", `the state of ${stateKeyText(record.key)} is being renamed to ${record.movingTo}`);
}

export function mustBeOwned(
  { key, owner, ownership }: ComponentRecord,
  { environmentUid }: Pick<Claimant, "environmentUid">,
): void {
  if (owner.environmentUid === environmentUid && ownership === "Owned") return;
  const name = stateKeyText(key);
  throw new Refused("NotYourRun", `the state of ${name} is not owned by the Environment with UID ${environmentUid}`);
}

function unfenced(current: Claim): Claim {
  if (current.fenced === undefined) return current;
  throw new Refused("Fenced", `Run ${current.run} may no longer write: ${current.fenced.why}`);
}

/** The record for another name, or another owner: Runs are numbered anew there, and none of them knows a claim of before. */
export function unclaimed(record: ComponentRecord): ComponentRecord {
  const { claim: _claim, written, drift, ...rest } = record;
  return {
    ...rest,
    ...(written === undefined ? {} : { written: { ...without(written, "after"), newestRun: 0 } }),
    // Found before all of them, whatever number the Check had.
    ...(drift === undefined ? {} : { drift: { ...drift, number: 0 } }),
  };
}

/** The claim of whoever asks; refuses everybody whose claim is not the current, unfenced one. Every write begins with it. */
export function mustHold(record: ComponentRecord, claimant: Claimant): Claim {
  mustBelong(record, claimant);
  const current = record.claim;
  if (current === undefined || !isHeldBy(current, claimant))
    throw new Refused("Fenced", `pod ${claimant.pod} does not hold the claim on Run ${claimant.run} any more`);
  return unfenced(current);
}

/** Code of the module runs while its plan is made, before anybody has agreed to anything, and may speak to the state as the engine does. */
export function mustBeApplying({ applying, run }: Claim): void {
  if (applying !== undefined) return;
  throw new Refused("NotApplying", `Run ${run} was not told to apply: until then it stores no state`);
}
