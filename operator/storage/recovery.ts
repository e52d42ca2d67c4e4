import { changeRecord } from "./change.ts";
import { type Claimant, mustBeApplying, mustBeOwned } from "./claims.ts";
import { type StateStore, StoreCorrupt } from "./port.ts";
import { type ComponentRecord, stateKeyText } from "./record.ts";
import { Refused } from "./refusal.ts";
import { digestOfBytes } from "./secret-blobs.ts";
import { type Acceptance, type IncomingState, incomingState, putHead, succeeds } from "./versions.ts";

/**
 * Takes a state that the engine could not hand over (`errored.tfstate`). Where it simply follows what is stored and nobody else may write, it
 * becomes the head; otherwise it is kept as it is, and waits for a person.
 */
export async function recoverState(
  store: StateStore,
  claimant: Claimant,
  content: Buffer,
  at: Date,
  signal?: AbortSignal,
): Promise<"stored" | "kept"> {
  const found = await store.record(claimant.key, signal);
  if (found === undefined) throw new Refused("NotFound", "the record of this component is gone");
  mustHaveBegun(found.value, claimant);
  if (found.value.state?.blob.digest === digestOfBytes(content)) return "stored";
  try {
    const incoming = await incomingState(content);
    const judge = (record: ComponentRecord) => mayFollow(record, claimant, incoming);
    await putHead(store, claimant, { content, incoming, storageId: found.value.storageId, at, judge, signal });
    return "stored";
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return keep(store, claimant, content, at, signal);
  }
}

/**
 * The engine gives its lock back when a write fails, so the lock may be free; it may not be another's. A claim that was fenced will do as long
 * as no later one has taken its place: nobody has written since, so what this Run left is the newest there is.
 */
function mayFollow(record: ComponentRecord, claimant: Claimant, incoming: IncomingState): Acceptance {
  mustHaveBegun(record, claimant);
  mustStay(record);
  mustBeOwned(record, claimant);
  // A person has put another state there since this Run was fenced: which of the two counts, people decide.
  if (record.written?.after !== undefined && record.written.after === record.claim?.number)
    throw new Refused("Fenced", `${record.written.by} has written the state since Run ${claimant.run} was ended`);
  if (record.lock !== undefined && record.lock.runUid !== claimant.runUid)
    throw new Refused("Locked", `Run ${record.lock.run} holds the lock of the state`, record.lock);
  return succeeds(record.state, incoming);
}

/** A session that was fenced may still save what it has; one that was never told to apply has nothing to save. */
function mustHaveBegun({ claim }: ComponentRecord, { runUid, podUid, pod, run }: Claimant): void {
  if (claim?.runUid !== runUid || claim.podUid !== podUid)
    throw new Refused("Fenced", `pod ${pod} does not hold the claim on Run ${run} any more`);
  mustBeApplying(claim);
}

/** What is written into a record that is being renamed goes with it. */
function mustStay({ key, movingTo }: ComponentRecord): void {
  if (movingTo === undefined) return;
  throw new Refused("Moving", `the state of ${stateKeyText(key)} is being renamed to ${movingTo}`);
}

async function keep(
  store: StateStore,
  claimant: Claimant,
  content: Buffer,
  at: Date,
  signal: AbortSignal | undefined,
): Promise<"kept"> {
  const found = await store.record(claimant.key, signal);
  if (found === undefined) throw new Refused("NotFound", "the record of this component is gone");
  if (found.value.recovery?.blob.digest === digestOfBytes(content)) return "kept";
  if (!(await isState(content)) && (await hasWholeCopy(store, found.value, claimant, signal))) return "kept";
  const blob = await store.putBlob(found.value, "recovery", content, signal);
  await changeRecord(
    store,
    claimant.key,
    (record) => {
      mustHaveBegun(record, claimant);
      mustStay(record);
      return { next: { ...record, recovery: { blob, run: claimant.run, at: at.toISOString() } }, answer: undefined };
    },
    signal,
  );
  return "kept";
}

/** What a full disk has cut off says less than the copy that this Run left before. */
async function hasWholeCopy(
  store: StateStore,
  record: ComponentRecord,
  { run }: Claimant,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (record.recovery?.run !== run) return false;
  try {
    return await isState(await store.getBlob(record, record.recovery.blob, signal));
  } catch (error) {
    if (error instanceof StoreCorrupt) return false;
    throw error;
  }
}

async function isState(content: Buffer): Promise<boolean> {
  try {
    await incomingState(content);
    return true;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}
