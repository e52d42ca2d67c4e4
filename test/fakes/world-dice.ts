import { createHash } from "node:crypto";

/** Random choices that a seed repeats. */
export interface Dice {
  /** Between 0 and 1. */
  fraction(): number;
  chance(probability: number): boolean;
  /** From 0 to below `bound`. */
  below(bound: number): number;
  pick<T>(items: readonly T[]): T | undefined;
  /** Picks by weight; undefined where nothing has any. */
  weighted<T>(items: readonly { readonly weight: number; readonly value: T }[]): T | undefined;
}

/** Dice of their own for one purpose: what is drawn for another one does not move them. */
export function diceFor(seed: number, purpose: string): Dice {
  return diceFrom(createHash("sha256").update(`${seed} ${purpose}`).digest().readUInt32LE());
}

export function diceFrom(seed: number): Dice {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(fraction() * bound);
  return {
    fraction,
    chance: (probability) => fraction() < probability,
    below,
    pick: (items) => items[below(items.length)],
    weighted(items) {
      let left = fraction() * items.reduce((sum, { weight }) => sum + weight, 0);
      for (const { weight, value } of items) {
        left -= weight;
        if (left < 0) return value;
      }
      return undefined;
    },
  };
}
