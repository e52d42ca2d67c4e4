import { type StateStore, StoreCorrupt } from "./port.ts";
import type { BlobRef, ComponentRecord, StateVersion } from "./record.ts";
import { isRefused, Refused } from "./refusal.ts";
import { type IncomingState, incomingState } from "./versions.ts";

/** A state that is in the store. */
export interface KeptState extends IncomingState {
  readonly bytes: Buffer;
}

/** Throws `StoreCorrupt` where it is damaged. */
export async function readKept(
  store: StateStore,
  record: ComponentRecord,
  blob: BlobRef,
  signal: AbortSignal | undefined,
): Promise<KeptState> {
  const bytes = await store.getBlob(record, blob, signal);
  return { bytes, ...(await incomingState(bytes)) };
}

const WAY_OUT = "restore a version that is kept, or push a state, with force (--force), which gives the copy up";

/** A recovery copy is kept as it came: it may be no state. Throws `Refused("StateUnsaved")`, with the way out, then and where it is damaged. */
export async function readCopy(...asked: Parameters<typeof readKept>): Promise<KeptState> {
  try {
    return await readKept(...asked);
  } catch (error) {
    if (!isRefused(error, "NotAState") && !(error instanceof StoreCorrupt)) throw error;
    throw new Refused("StateUnsaved", `the recovery copy cannot be read as a state (${error.message}): ${WAY_OUT}`);
  }
}

/** What an engine left behind, as a version like others. Undefined where nothing is left, or what is left may be given up. */
export async function recoveredVersion(
  store: StateStore,
  record: ComponentRecord,
  mayGiveUp: boolean,
  signal: AbortSignal | undefined,
): Promise<StateVersion | undefined> {
  const { recovery } = record;
  if (recovery === undefined) return undefined;
  try {
    const { lineage, serial, resources } = await readCopy(store, record, recovery.blob, signal);
    return { lineage, serial, resources, blob: recovery.blob, run: recovery.run, at: recovery.at };
  } catch (error) {
    if (mayGiveUp && isRefused(error, "StateUnsaved")) return undefined;
    throw error;
  }
}
