import assert from "node:assert/strict";
import type { Trouble } from "./place.ts";
import type { Fate, Seen } from "./proxy.ts";
import type { Ending, Story } from "./story.ts";
import { isWhole } from "./whole.ts";

/**
 * At every write that the operator or the gateway makes in a whole story, something goes wrong: in each telling at several writes, far from each other.
 * `TERRARIUM_FAULTS=all` lets everything happen at every write; otherwise each write meets one fate, in turn, as long as there is time.
 * `TERRARIUM_FAULT="17,37 lost"` or `TERRARIUM_FAULT="PATCH runs/status lost"` tells one of them again, by the name under which it was printed.
 */
const { TERRARIUM_FAULT: asked } = process.env;

export const FATES = {
  killedBefore: { type: "killedBefore" },
  killedAfter: { type: "killedAfter" },
  lost: { type: "lost" },
  conflict: { type: "refused", status: 409, reason: "Conflict" },
  tooMany: { type: "refused", status: 429, reason: "TooManyRequests", retryAfterS: 1 },
  internal: { type: "refused", status: 500, reason: "InternalError" },
} as const satisfies Readonly<Record<string, Fate>>;

export type FateName = keyof typeof FATES;

/** So far apart are the faults of one telling, in writes: it has got over the one before the next comes. */
const APART = 12;
const FEWEST_IN_ONE = 4;
const faultsInOne = (writes: number): number => Math.max(FEWEST_IN_ONE, Math.round(writes / APART));

/** Each fate has one telling at least, the last write of which may be joined with another. */
const FEWEST_OF_A_FATE = FEWEST_IN_ONE - 1;

/** Whose writes are meant. */
interface Side {
  of(ending: Ending): Pick<Ending, "writes" | "log">;
  trouble(fateOf: (seen: Seen) => Fate): Trouble;
}

export const OPERATOR: Side = { of: (ending) => ending, trouble: (fateOf) => ({ fateOf }) };
export const GATEWAY: Side = { of: ({ gateway }) => gateway, trouble: (gatewayFateOf) => ({ gatewayFateOf }) };

export interface SweepOptions {
  readonly story: Story;
  readonly side: Side;
  readonly fates: readonly FateName[];
  /** Where not everything is to happen: no story is begun after that long, but as many as there are fates are told on the slowest machine. */
  readonly longestMs: number;
  readonly atOnce: number;
  /** The only thing that is to go wrong, by the name of an earlier trouble; what was asked for unless told. */
  readonly again?: string | undefined;
}

export interface Swept {
  readonly summary: string;
  /** What went otherwise than when nothing goes wrong; with the fate that brings it back. */
  readonly troubles: readonly string[];
  /** Kinds of writes that a fate never fell on. */
  readonly spared: readonly string[];
  /** How often each fate fell on a write. */
  readonly fell: Readonly<Record<string, number>>;
}

export async function sweep(options: SweepOptions): Promise<Swept> {
  const { story, fates, side, again = asked } = options;
  const calm = await longest(options);
  const { writes, log } = side.of(calm);
  const kinds = [...new Set(log.map(kindOf))];
  const troubles: string[] = [];
  const met = new Set<string>();
  const fell: Record<string, number> = Object.fromEntries(fates.map((fate) => [fate, 0]));
  const startedAt = performance.now();
  const tell = async ({ name, fate, fateOf, missed }: Telling): Promise<void> => {
    try {
      const ending = await story(side.trouble(fateOf));
      const marked = side.of(ending).log.filter(isMarked);
      for (const line of marked) met.add(`${kindOf(line)}, ${fate}`);
      fell[fate] = (fell[fate] ?? 0) + marked.length;
      isAsCalm(ending, calm);
      // Writes that are joined in one telling are not in the next: only who asks for one has to be told.
      if (again !== undefined) assert.ok(missed().length === 0, `never written: ${missed().join(", ")}`);
    } catch (error) {
      troubles.push(`${name} ${fate}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const spared = () => kinds.flatMap((kind) => fates.map((fate) => [kind, fate] as const)).filter(isSpared);
  const isSpared = ([kind, fate]: readonly [string, FateName]) => !met.has(`${kind}, ${fate}`);
  const list = again === undefined ? tellings(writes, fates) : [named(again, kinds)];
  let told = await inTurn(list, options, tell);
  // What earlier faults of the same telling have moved is found by what it is.
  if (isWhole && again === undefined)
    told += await inTurn(
      spared().map(([kind, fate]) => atFirst(kind, fate)),
      options,
      tell,
    );
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const count = `${told} of ${Math.max(told, list.length)} tellings in ${seconds} s`;
  return {
    summary: `${count}, ${writes} writes of ${kinds.length} kinds, ${faultsInOne(writes)} faults in each`,
    troubles,
    spared: spared().map(([kind, fate]) => `${kind}, ${fate}`),
    fell,
  };
}

/** Whatever else there was time for: nothing went wrong, and each fate has fallen on writes of some telling. Of everything, where all of it is to happen. */
export function assertSwept({ troubles, spared, fell }: Swept): void {
  assert.deepEqual(troubles, []);
  if (asked !== undefined) return;
  for (const [fate, times] of Object.entries(fell))
    assert.ok(times >= FEWEST_OF_A_FATE, `${fate} fell on ${times} writes, and on ${FEWEST_OF_A_FATE} at least`);
  if (isWhole) assert.deepEqual(spared, [], "every kind of write meets every fate");
}

/** Some writes of a status are joined in one telling and not in the next: whoever counts to the longest reaches the end of all of them. */
async function longest({ story, side, atOnce }: SweepOptions): Promise<Ending> {
  const endings = await Promise.all(Array.from({ length: atOnce }, () => story()));
  const [first, ...others] = endings.toSorted((a, b) => side.of(b).writes - side.of(a).writes);
  assert.ok(first !== undefined && side.of(first).writes > 10);
  for (const ending of others) isAsCalm(ending, first);
  return first;
}

interface Telling {
  readonly name: string;
  readonly fate: FateName;
  readonly fateOf: (seen: Seen) => Fate;
  /** What is to meet the fate and was not written so far. */
  readonly missed: () => readonly string[];
}

const GOES: Fate = { type: "goes" };

/** These writes meet this, and all others go. */
function atWrites(writes: readonly number[], fate: FateName): Telling {
  const waiting = new Set(writes);
  return {
    name: writes.join(),
    fate,
    fateOf: ({ write }) => (waiting.delete(write) ? FATES[fate] : GOES),
    missed: () => [...waiting].map((write) => `write ${write}`),
  };
}

/** The first write of this kind meets this, and all others go. */
function atFirst(kind: string, fate: FateName): Telling {
  let isOver = false;
  const fateOf = (seen: Seen): Fate => {
    if (isOver || kindOf(`${seen.write} ${seen.method} ${seen.path.split("?")[0]}`) !== kind) return GOES;
    isOver = true;
    return FATES[fate];
  };
  return { name: kind, fate, fateOf, missed: () => (isOver ? [] : [kind]) };
}

const isFate = (name: string): name is FateName => Object.hasOwn(FATES, name);

/** What a trouble's name stands for. Throws a TypeError where it is none of this story's. */
function named(name: string, kinds: readonly string[]): Telling {
  const [, what = "", fate = ""] = /^(.*) (\S+)$/.exec(name) ?? [];
  if (!isFate(fate)) throw new TypeError(`"${name}" ends with no fate: ${Object.keys(FATES).join(", ")}`);
  if (/^\d+(,\d+)*$/.test(what)) return atWrites(what.split(",").map(Number), fate);
  if (!kinds.includes(what)) throw new TypeError(`this story has no write "${what}": ${kinds.join(", ")}`);
  return atFirst(what, fate);
}

function tellings(writes: number, fates: readonly FateName[]): readonly Telling[] {
  const distance = Math.ceil(writes / faultsInOne(writes));
  const apart = (first: number) =>
    Array.from({ length: faultsInOne(writes) }, (_, index) => first + index * distance).filter((at) => at <= writes);
  const groups = spread(Array.from({ length: distance }, (_, index) => apart(index + 1)));
  if (isWhole) return groups.flatMap((group) => fates.map((fate) => atWrites(group, fate)));
  return groups.map((group, index) => atWrites(group, fates[index % fates.length] ?? "lost"));
}

/** Returns how many there was time for. */
async function inTurn<T>(
  items: readonly T[],
  { longestMs, atOnce, fates }: SweepOptions,
  work: (item: T) => Promise<void>,
): Promise<number> {
  const waiting = [...items];
  const giveUpAt = performance.now() + (isWhole ? Number.POSITIVE_INFINITY : longestMs);
  const mayBegin = () => performance.now() <= giveUpAt || items.length - waiting.length < fates.length;
  const worker = async () => {
    while (mayBegin()) {
      const item = waiting.shift();
      if (item === undefined) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return items.length - waiting.length;
}

/** The same ones every time, spread over the whole story: where there is time for half of them, it is not the first half. */
const spread = <T>(items: readonly T[]): readonly T[] =>
  items
    .map((item, index) => [(index * 37) % items.length, item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);

export function isAsCalm(ending: Ending, calm: Ending): void {
  assert.equal(ending.runs, calm.runs, "as many Runs as when nothing goes wrong");
  assert.equal(ending.pods, calm.pods, "as many pods");
  assert.deepEqual(ending.ledger, calm.ledger, "the same things are made and destroyed, once, in the same order");
}

const isMarked = (line: string): boolean => !line.endsWith(": goes");

/** Of a line of the log: verb, resource and subresource, and which Secrets. */
function kindOf(line: string): string {
  const [, method, path = ""] = line.replace(/: \w+$/, "").split(" ");
  const [plural = "", name = "", subresource = ""] =
    path.split("/namespaces/")[1]?.split("/").slice(1) ?? path.split("/").slice(-1);
  const secret = /^terrarium-([a-z]+)-/.exec(name)?.[1] ?? "";
  return [method, subresource === "" ? plural : `${plural}/${subresource}`, secret].join(" ").trim();
}
