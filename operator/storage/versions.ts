import { NotAState } from "../engine/state.ts";
import { readEnvelope, type StateFacts } from "../engine/state-envelope.ts";
import { deleteBlobs } from "./blobs.ts";
import { type Change, changeRecord } from "./change.ts";
import { type Claimant, mustBeApplying, mustHold } from "./claims.ts";
import { leisurely } from "./leisurely.ts";
import { type StateStore, StoreCorrupt } from "./port.ts";
import type { BlobRef, ComponentRecord, StateVersion } from "./record.ts";
import { Refused } from "./refusal.ts";
import { withHead } from "./retention.ts";
import { digestOfBytes } from "./secret-blobs.ts";

/** A state that the engine hands over, as far as the rules look at it. */
export interface IncomingState {
  readonly lineage: string;
  readonly serial: number;
  readonly resources: number;
  /** `sha256:<hex>` of the bytes. */
  readonly digest: string;
}

export type Acceptance = "new" | "repeated";

export async function incomingState(content: Buffer): Promise<IncomingState> {
  const { lineage, serial, resourceCount } = await envelopeOf(content);
  return { lineage, serial, resources: resourceCount, digest: digestOfBytes(content) };
}

async function envelopeOf(content: Buffer): Promise<StateFacts> {
  try {
    return await leisurely(readEnvelope(content));
  } catch (error) {
    if (error instanceof NotAState) throw new Refused("NotAState", error.message);
    throw error;
  }
}

/** Whether a state may follow the one that is stored: same lineage, and a higher serial unless it is the very same. */
export function succeeds(head: StateVersion | undefined, incoming: IncomingState): Acceptance {
  if (head === undefined) return "new";
  if (head.lineage !== incoming.lineage)
    throw new Refused("LineageDiffers", `the stored state has lineage ${head.lineage}, this one ${incoming.lineage}`);
  if (incoming.serial > head.serial) return "new";
  if (incoming.serial === head.serial && incoming.digest === head.blob.digest) return "repeated";
  throw new Refused("SerialWentBack", `serial ${head.serial} is stored; this state has serial ${incoming.serial}`);
}

/** Only the holder of claim and lock writes, and only what comes of an apply or a destroy that was allowed. */
export function mayWrite(
  record: ComponentRecord,
  claimant: Claimant,
  lockId: string,
  incoming: IncomingState,
): Acceptance {
  mustBeApplying(mustHold(record, claimant));
  const { lock } = record;
  if (lock === undefined) throw new Refused("LockMismatch", "the state is not locked: take the lock first");
  if (lock.id !== lockId || lock.runUid !== claimant.runUid)
    throw new Refused("LockMismatch", `the lock that is held has another id, and belongs to Run ${lock.run}`);
  return succeeds(record.state, incoming);
}

/**
 * Makes `content` the head of the state. When it resolves, the state is stored; when it rejects with `Refused`, it is not, and was not
 * before; after any other error the same call may be repeated.
 */
export async function writeState(
  store: StateStore,
  claimant: Claimant,
  lockId: string,
  content: Buffer,
  at: Date,
  signal?: AbortSignal,
): Promise<Acceptance> {
  const incoming = await incomingState(content);
  const current = await store.record(claimant.key, signal);
  if (current === undefined) throw new Refused("NotFound", "the record of this component is gone");
  if (mayWrite(current.value, claimant, lockId, incoming) === "repeated") return "repeated";
  const judge = (record: ComponentRecord) => mayWrite(record, claimant, lockId, incoming);
  return putHead(store, claimant, { content, incoming, storageId: current.value.storageId, at, judge, signal });
}

interface NewHead {
  readonly content: Buffer;
  readonly incoming: IncomingState;
  readonly storageId: string;
  readonly at: Date;
  readonly judge: (record: ComponentRecord) => Acceptance;
  readonly signal: AbortSignal | undefined;
}

/** The blob comes first and the record last: a crash in between leaves only garbage. */
export async function putHead(store: StateStore, claimant: Claimant, head: NewHead): Promise<Acceptance> {
  const { content, incoming, storageId, at, judge, signal } = head;
  const blob = await store.putBlob({ storageId }, "state", content, signal);
  const decide = (record: ComponentRecord): Change<Acceptance> => {
    const answer = judge(record);
    if (answer === "repeated") return { answer };
    return { next: withHead(record, versionOf(incoming, blob, claimant.run, at)), answer };
  };
  try {
    const { answer } = await changeRecord(store, claimant.key, decide, signal);
    if (answer === "repeated") await deleteBlobs(store, { storageId }, [blob], signal);
    return answer;
  } catch (error) {
    // Whatever else went wrong may have happened after the record was written: then the blob is in use.
    if (error instanceof Refused) await deleteBlobs(store, { storageId }, [blob], signal);
    throw error;
  }
}

function versionOf(incoming: IncomingState, blob: BlobRef, run: string, at: Date): StateVersion {
  const { lineage, serial, resources } = incoming;
  return { lineage, serial, resources, blob, run, at: at.toISOString() };
}

/** The bytes of the head, or undefined where no state was ever handed over. */
export async function readState(
  store: StateStore,
  record: ComponentRecord,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  if (record.state === undefined) return undefined;
  try {
    return await store.getBlob(record, record.state.blob, signal);
  } catch (error) {
    if (!(error instanceof StoreCorrupt)) throw error;
    // The version may have been superseded, and dropped, since the record was read.
    const now = await store.record(record.key, signal);
    if (now?.value.state === undefined || now.value.state.blob.id === record.state.blob.id) throw error;
    return store.getBlob(now.value, now.value.state.blob, signal);
  }
}
