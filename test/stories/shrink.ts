import type { Telling } from "./telling.ts";

/** Tells the story once more without those incidents. */
export type Again = (without: ReadonlySet<string>) => Promise<Telling>;

export interface Shrunk {
  /** What the story does not need in order to go wrong. */
  readonly without: ReadonlySet<string>;
  readonly telling: Telling;
  readonly tellings: number;
}

/** Promises are broken in ways; a story that breaks another one is another story. */
export const wayOf = ({ trouble }: Telling): string | undefined => trouble?.message.split(":")[0];

/**
 * Leaves out incidents, many at a time at first and single ones in the end, as long as the story still goes wrong in the same way. A story without
 * some incident may well take another course and meet others: it is the shorter one that counts.
 */
export async function shrink(first: Telling, again: Again, mostTellings = 400): Promise<Shrunk> {
  const way = wayOf(first);
  let best: Omit<Shrunk, "tellings"> = { without: new Set(), telling: first };
  let tellings = 0;
  for (let size = Math.ceil(first.incidents.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.telling.incidents.length && tellings < mostTellings; ) {
      const without = new Set([...best.without, ...best.telling.incidents.slice(at, at + size)]);
      const telling = await again(without);
      tellings += 1;
      const isShorter = telling.incidents.length < best.telling.incidents.length;
      if (wayOf(telling) === way && isShorter) best = { without, telling };
      else at += size;
    }
  }
  return { ...best, tellings };
}
