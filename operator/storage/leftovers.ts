import { MASK } from "../engine/mask.ts";
import { NotAState, type StateObject } from "../engine/state.ts";
import { readObjects, type Wanted } from "../engine/state-parts.ts";
import type { JournalEntry } from "../gateway/protocol.ts";
import { leisurely } from "./leisurely.ts";
import { type StateStore, StoreCorrupt } from "./port.ts";
import type { ComponentRecord, StateVersion } from "./record.ts";
import { readState } from "./versions.ts";

/** What an apply made, or began to make, and the state does not have: for `import`, or to be removed by hand. */
export interface Leftover {
  readonly address: string;
  /** Absent where nothing is known of the end of its creation. */
  readonly id?: string;
  /** The state still has, at this address, what it was to replace. */
  readonly replaces?: true;
}

/** An apply, as its journal tells of it. */
export interface ReportedApply {
  readonly run: string;
  readonly entries: readonly JournalEntry[];
  /** Nobody knows whether the state tells what a creation that failed has left. */
  readonly isCutOff: boolean;
}

export interface Evidence extends Pick<ReportedApply, "entries" | "isCutOff"> {
  /** What the state holds now. */
  readonly stored: readonly StateObject[];
  /** What states held between the Run and now: whatever became of that, they knew of it. */
  readonly since?: readonly StateObject[];
  /** What the state held before the Run. */
  readonly before: readonly StateObject[];
}

export async function leftoversOf(
  store: StateStore,
  record: ComponentRecord,
  { run, entries, isCutOff }: ReportedApply,
  signal?: AbortSignal,
): Promise<readonly Leftover[]> {
  const { state, history } = record;
  const versions = state === undefined ? history : [state, ...history];
  // Where the Run has handed over no state, the newest is still the one that it began with, or has been mended by a person since.
  const began = versions.findLastIndex((version) => version.run === run) + 1;
  const wanted = wantedFor(entries);
  // One after the other: together they may be more than the memory has room for.
  const read = async (those: readonly StateVersion[]) => {
    const found: (readonly StateObject[])[] = [];
    for (const version of those) found.push(await objectsIn(store, record, version, wanted, signal));
    return found;
  };
  const since = await read(versions.slice(0, began));
  const before = (await read(versions.slice(began, began + 1))).flat();
  const [stored = before] = since;
  return leftovers({ entries, stored, since: since.flat(), before, isCutOff });
}

/** What is asked of the states: the objects at those addresses, or all where an address holds a secret, and what identifies them. */
function wantedFor(entries: readonly JournalEntry[]): Wanted {
  const addresses = new Set(entries.map(({ address }) => address));
  const isAll = entries.some(({ address }) => address.includes(MASK));
  const ids = new Set(["id", ...entries.flatMap(({ idKey }) => idKey ?? [])]);
  const resources = new Set([...addresses].flatMap(resourcesOf));
  return {
    isWanted: (address) => isAll || addresses.has(address),
    isWantedOf: (resource) => isAll || resources.has(resource),
    attributes: ids,
  };
}

/** Of which resource an instance may be: a bracket begins its index, or is in the name of a module or in the index itself. */
const resourcesOf = (address: string): readonly string[] => [
  address,
  ...[...address.matchAll(/\[/g)].map(({ index }) => address.slice(0, index)),
];

async function objectsIn(
  store: StateStore,
  record: ComponentRecord,
  state: StateVersion,
  wanted: Wanted,
  signal?: AbortSignal,
): Promise<readonly StateObject[]> {
  try {
    const bytes = await readState(store, { ...record, state }, signal);
    return bytes === undefined ? [] : await leisurely(readObjects(bytes, wanted));
  } catch (error) {
    // What cannot be read says nothing: too much is listed then, and not too little.
    if (error instanceof StoreCorrupt || error instanceof NotAState) return [];
    throw error;
  }
}

/**
 * An engine reports a replacement as a deletion and a creation at one address, in either order, and never deletes what it has made in the same
 * apply. So an address that the state knows says little: it may be that of what was replaced.
 */
export function leftovers({ entries, stored, since = [], before, isCutOff }: Evidence): readonly Leftover[] {
  const creations = new Map(entries.filter(({ action }) => action === "create").map((entry) => [entry.address, entry]));
  const made = [...creations.values()].filter(({ event }) => event !== "apply_errored" || isCutOff);
  const everStored = [...stored, ...since];
  const known = Map.groupBy(everStored, ({ address }) => address);
  const present = new Set(stored.map(({ address }) => address));
  const old = Map.groupBy(before, ({ address }) => address);
  // An address that holds a secret says nothing; the id does.
  const knownAt = ({ address, idValue }: JournalEntry) =>
    address.includes(MASK) && idValue !== undefined ? everStored : (known.get(address) ?? []);
  return made
    .filter((entry) => !isStored(entry, knownAt(entry), old.get(entry.address) ?? []))
    .map(({ address, idValue }) => ({
      address,
      ...(idValue === undefined ? {} : { id: idValue }),
      ...(present.has(address) ? { replaces: true as const } : {}),
    }));
}

/** By the id that the engine told; where it told none, whatever was not there before is what was made. */
function isStored(
  { idKey, idValue }: JournalEntry,
  stored: readonly StateObject[],
  before: readonly StateObject[],
): boolean {
  const ids = idKey === undefined ? [] : stored.map(({ attributes }) => attributes[idKey]).filter(isText);
  if (ids.length > 0 && idValue !== undefined && !idValue.includes(MASK)) return ids.includes(idValue);
  return stored.some((object) => !before.some((earlier) => isSame(earlier, object)));
}

/** Two objects of one address. */
function isSame({ attributes: { id: one } }: StateObject, { attributes: { id: other } }: StateObject): boolean {
  return one === other || !isText(one) || !isText(other);
}

const isText = (value: unknown): value is string => typeof value === "string";
