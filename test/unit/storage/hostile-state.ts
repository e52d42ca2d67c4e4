import { aState } from "./claimants.ts";

/** A state of that size which is nothing but small values: as a tree it has thirty-four times as much. */
export function aHostileState(bytes: number): Buffer {
  const head = aState({ serial: 1 }).toString().slice(0, -1);
  const pairs = Math.floor((bytes - head.length - 16) / 3);
  return Buffer.from(`${head},"x":[${"[],".repeat(pairs)}[]]}`);
}
