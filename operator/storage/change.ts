import { setTimeout as delay } from "node:timers/promises";
import { deleteBlobs, droppedBlobs } from "./blobs.ts";
import { RecordConflict, type StateStore, type Versioned } from "./port.ts";
import { type ComponentRecord, type StateKey, stateKeyText } from "./record.ts";
import { Refused } from "./refusal.ts";

/** What a decision makes of a record; `next` is absent where nothing has to be written. */
export interface Change<T> {
  readonly next?: ComponentRecord;
  readonly answer: T;
}

export interface Changed<T> {
  readonly before: ComponentRecord;
  readonly after: Versioned<ComponentRecord>;
  readonly answer: T;
}

/** One record has a handful of writers: whoever loses this often is told to come back. */
const MOST_TRIES = 24;
const LONGEST_PAUSE_MS = 40;

/**
 * Reads, decides, and writes if nobody else has written in between; otherwise decides anew on what they wrote. `decide` is pure and refuses
 * by throwing. Blobs that only the old record referred to are deleted. Throws `RecordConflict` after too many tries.
 */
export async function changeRecord<T>(
  store: StateStore,
  key: StateKey,
  decide: (record: ComponentRecord) => Change<T>,
  signal?: AbortSignal,
): Promise<Changed<T>> {
  for (let tries = 1; ; tries += 1) {
    const found = await store.record(key, signal);
    if (found === undefined) throw new Refused("NotFound", `there is no record of ${stateKeyText(key)}`);
    const { next, answer } = decide(found.value);
    if (next === undefined) return { before: found.value, after: found, answer };
    try {
      const after = await store.updateRecord(next, found.version, signal);
      await deleteBlobs(store, next, droppedBlobs(found.value, next), signal);
      return { before: found.value, after, answer };
    } catch (error) {
      await afterConflict(store, error, tries, signal);
    }
  }
}

/** Somebody else was quicker: waits a moment, so that two writers do not collide in step. Throws what is no conflict, or one too many. */
export async function afterConflict(
  { pause = onTheWall }: Pick<StateStore, "pause">,
  error: unknown,
  tries: number,
  signal?: AbortSignal,
): Promise<void> {
  if (!(error instanceof RecordConflict) || tries >= MOST_TRIES) throw error;
  await pause(Math.random() * Math.min(LONGEST_PAUSE_MS, 2 * tries), signal);
}

const onTheWall: NonNullable<StateStore["pause"]> = (ms, signal) =>
  delay(ms, undefined, signal === undefined ? {} : { signal });

/** A copy without one optional member. */
export function without<T extends object, K extends keyof T>(value: T, member: K): Omit<T, K> {
  const { [member]: _dropped, ...rest } = value;
  return rest;
}
