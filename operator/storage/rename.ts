import { blobsOf, deleteBlobs } from "./blobs.ts";
import { changeRecord, without } from "./change.ts";
import { unclaimed } from "./claims.ts";
import { userOf } from "./ownership.ts";
import { RecordConflict, type StateStore } from "./port.ts";
import { type ComponentRecord, holdsNothing, type StateKey, stateKeyText } from "./record.ts";
import { Refused } from "./refusal.ts";

/** Whoever uses a component is applied anew some time: it is not known by older names for ever. */
const MOST_FORMER_NAMES = 16;

export interface RenameOptions {
  /** Tells whoever else has to know the new name, at each try, once it is certain that the state moves and before it has. */
  readonly beforeMove?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Moves a record to another component name of the same Environment; the blobs stay where they are. May be repeated after a crash at any
 * point: the mark on the old record keeps everyone from working on it until the new one exists and the old one is gone.
 */
export async function rename(
  store: StateStore,
  from: StateKey,
  to: StateKey,
  environmentUid: string,
  { beforeMove, signal }: RenameOptions = {},
): Promise<"moved" | "nothing"> {
  if (from.namespace !== to.namespace || from.environment !== to.environment)
    throw new Refused("BadRequest", "a state moves only inside its Environment");
  const found = await store.record(from, signal);
  if (found === undefined) return "nothing";
  if (isBlank(found.value, environmentUid) && (await store.record(to, signal)) !== undefined) {
    await beforeMove?.();
    await store.deleteRecord(from, found.version, signal);
    return "nothing";
  }
  const { after } = await changeRecord(store, from, (record) => marked(record, to, environmentUid), signal);
  await beforeMove?.();
  await makeTarget(store, after.value, to, signal);
  await store.deleteRecord(from, after.version, signal);
  return "moved";
}

function marked(record: ComponentRecord, to: StateKey, environmentUid: string) {
  const name = stateKeyText(record.key);
  if (record.owner.environmentUid !== environmentUid)
    throw new Refused("NotYourRun", `the state of ${name} is not owned by the Environment with UID ${environmentUid}`);
  if (record.movingTo === to.component) return { answer: undefined };
  if (record.movingTo !== undefined)
    throw new Refused("Moving", `the state of ${name} is being renamed to ${record.movingTo}: finish that first`);
  const user = userOf(record);
  if (user !== undefined)
    throw new Refused("InUse", `the state of ${name} is in use by Run ${user}: it must end first`);
  return { next: { ...record, movingTo: to.component }, answer: undefined };
}

async function makeTarget(
  store: StateStore,
  source: ComponentRecord,
  to: StateKey,
  signal: AbortSignal | undefined,
): Promise<void> {
  const existing = await store.record(to, signal);
  if (existing?.value.storageId === source.storageId) return;
  if (existing !== undefined) {
    if (!isBlank(existing.value, source.owner.environmentUid))
      throw new Refused(
        "NameTaken",
        `${stateKeyText(to)} has a state of its own: ${source.key.component} cannot take that name`,
      );
    await store.deleteRecord(to, existing.version, signal);
    await deleteBlobs(store, existing.value, blobsOf(existing.value), signal);
  }
  try {
    await store.createRecord(renamed(source, to), signal);
  } catch (error) {
    if (!(error instanceof RecordConflict)) throw error;
    const rival = await store.record(to, signal);
    if (rival?.value.storageId !== source.storageId) throw error;
  }
}

/** The record as it is under its new name. */
export function renamed(record: ComponentRecord, to: StateKey): ComponentRecord {
  const { key, formerNames = [] } = record;
  const before = [...formerNames.filter((name) => name !== key.component), key.component];
  return { ...unclaimed(without(record, "movingTo")), key: to, formerNames: before.slice(-MOST_FORMER_NAMES) };
}

/** A record that was made under one of the names before the rename was seen, and that nobody has used. */
function isBlank(record: ComponentRecord, environmentUid: string): boolean {
  return (
    record.owner.environmentUid === environmentUid &&
    record.movingTo === undefined &&
    holdsNothing(record) &&
    userOf(record) === undefined
  );
}
