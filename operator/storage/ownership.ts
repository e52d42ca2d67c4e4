import { randomUUID } from "node:crypto";
import { blobsOf, deleteBlobs } from "./blobs.ts";
import { afterConflict, changeRecord, without } from "./change.ts";
import { unclaimed } from "./claims.ts";
import type { StateStore, Versioned } from "./port.ts";
import { type ComponentRecord, type StateKey, stateKeyText } from "./record.ts";
import { Refused } from "./refusal.ts";

export type Ownership =
  | { readonly type: "owned"; readonly record: Versioned<ComponentRecord> }
  /** Another Environment owns the state and has not released it; name `uid` in `adopt` to take it over. */
  | { readonly type: "ownedByOther"; readonly uid: string }
  /** It may be adopted once nobody works on it any more. */
  | { readonly type: "inUse"; readonly uid: string; readonly run: string }
  /** A rename was begun: finish it with `rename(store, key, {...key, component: to}, uid)`. */
  | { readonly type: "moving"; readonly to: string };

export interface EnsureOptions {
  /** UID of the Environment that may be dispossessed. */
  readonly adoptUid?: string;
  /** Asked before a record is made where there is none; refuses by throwing. */
  readonly beforeMaking?: () => Promise<void>;
  readonly signal?: AbortSignal;
  readonly now?: () => Date;
}

/**
 * The record of a component, made where it never existed, adopted where it was released or `adoptUid` names its owner. An empty state is
 * made only here.
 */
export async function ensureRecord(
  store: StateStore,
  key: StateKey,
  environmentUid: string,
  options: EnsureOptions = {},
): Promise<Ownership> {
  const { adoptUid, beforeMaking, signal, now = () => new Date() } = options;
  for (let tries = 1; ; tries += 1) {
    try {
      const found = await store.record(key, signal);
      if (found === undefined) {
        await beforeMaking?.();
        const record = await store.createRecord(emptyRecord(key, environmentUid, now()), signal);
        return { type: "owned", record };
      }
      const standing = ownershipOf(found, environmentUid, adoptUid);
      if (standing !== "adopt") return standing;
      const record = await store.updateRecord(adopted(found.value, environmentUid), found.version, signal);
      return { type: "owned", record };
    } catch (error) {
      await afterConflict(store, error, tries, signal);
    }
  }
}

export function emptyRecord(key: StateKey, environmentUid: string, at: Date): ComponentRecord {
  return {
    key,
    storageId: randomUUID(),
    owner: { environmentUid },
    ownership: "Owned",
    createdAt: at.toISOString(),
    history: [],
    mayHoldObjects: false,
  };
}

function ownershipOf(
  found: Versioned<ComponentRecord>,
  environmentUid: string,
  adoptUid: string | undefined,
): Ownership | "adopt" {
  const { owner, ownership, movingTo } = found.value;
  const mine = owner.environmentUid === environmentUid;
  const free = ownership === "Released" || owner.environmentUid === adoptUid;
  if (!mine && !free) return { type: "ownedByOther", uid: owner.environmentUid };
  if (movingTo !== undefined) return { type: "moving", to: movingTo };
  if (mine && ownership === "Owned") return { type: "owned", record: found };
  const user = userOf(found.value);
  return user === undefined ? "adopt" : { type: "inUse", uid: owner.environmentUid, run: user };
}

/** The record of its next owner, who has not seen yet what is there: the first plan that ends well is the look at it. */
export function adopted(record: ComponentRecord, environmentUid: string): ComponentRecord {
  const isReturning = record.owner.environmentUid === environmentUid;
  return {
    ...(isReturning ? without(record, "claim") : unclaimed(record)),
    owner: { environmentUid },
    ownership: "Owned",
    ...(record.applied === undefined ? {} : { adoptedApply: record.applied.runUid }),
  };
}

/** The Run that may still write, if there is one. */
export function userOf(record: ComponentRecord): string | undefined {
  if (record.lock !== undefined) return record.lock.run;
  if (record.claim !== undefined && record.claim.fenced === undefined) return record.claim.run;
  return undefined;
}

function mustBeIdle(record: ComponentRecord): void {
  const user = userOf(record);
  if (user === undefined) return;
  throw new Refused("InUse", `the state of ${stateKeyText(record.key)} is in use by Run ${user}: it must end first`);
}

function mustBeOwnedBy(record: ComponentRecord, environmentUid: string): void {
  if (record.owner.environmentUid === environmentUid) return;
  const owner = record.owner.environmentUid;
  throw new Refused(
    "NotYourRun",
    `the state of ${stateKeyText(record.key)} belongs to the Environment with UID ${owner}`,
  );
}

/** Gives the state up and keeps it (`deletionPolicy: Retain`): the next Environment of that name adopts it. */
export async function release(
  store: StateStore,
  key: StateKey,
  environmentUid: string,
  signal?: AbortSignal,
): Promise<void> {
  if ((await store.record(key, signal)) === undefined) return;
  await changeRecord(
    store,
    key,
    (record) => {
      mustBeOwnedBy(record, environmentUid);
      if (record.ownership === "Released") return { answer: undefined };
      mustBeIdle(record);
      return { next: { ...record, ownership: "Released" }, answer: undefined };
    },
    signal,
  );
}

/**
 * Deletes the record and everything that it refers to; returns false where there was none. Refuses (`MayHoldObjects`) what may still own real
 * objects, unless it was released.
 */
export async function forget(
  store: StateStore,
  key: StateKey,
  environmentUid: string,
  signal?: AbortSignal,
): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    const found = await store.record(key, signal);
    if (found === undefined) return false;
    const { value: record, version } = found;
    mustBeForgettable(record, environmentUid);
    try {
      await store.deleteRecord(key, version, signal);
      await deleteBlobs(store, record, blobsOf(record), signal);
      return true;
    } catch (error) {
      await afterConflict(store, error, tries, signal);
    }
  }
}

function mustBeForgettable(record: ComponentRecord, environmentUid: string): void {
  mustBeOwnedBy(record, environmentUid);
  mustBeIdle(record);
  const name = stateKeyText(record.key);
  if (record.movingTo !== undefined)
    throw new Refused("Moving", `the state of ${name} is being renamed to ${record.movingTo}: finish that first`);
  if (record.mayHoldObjects && record.ownership === "Owned")
    throw new Refused("MayHoldObjects", `${name} may still own real objects: destroy them or release the state`);
}
