import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SLOT_COUNT, slotAddresses } from "./addresses.ts";
import { withLock } from "./lock.ts";
import { conflictingRange, type UsedRange, usedRanges } from "./network.ts";
import { CLUSTERS_DIR, type Cluster, clusterPaths, describeCluster, lockFile } from "./paths.ts";

/** The cluster of that name, when it has been started once and not been taken down. */
export async function findCluster(name: string): Promise<Cluster | undefined> {
  const slot = await readSlot(name);
  return slot === undefined ? undefined : describeCluster(name, slot);
}

/** The cluster of that name, with a slot of its own, which it keeps until it is taken down. */
export async function allocateCluster(name: string): Promise<Cluster> {
  return withLock(
    lockFile("slots"),
    () => undefined,
    async () => {
      const known = await findCluster(name);
      if (known !== undefined) return known;
      const slot = chooseSlot(await takenSlots(), await usedRanges());
      const { directory, slotFile } = clusterPaths(name);
      // Files without a slot are what an interrupted removal has left.
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      await writeFile(slotFile, `${slot}\n`);
      return describeCluster(name, slot);
    },
  );
}

/** The lowest slot that no cluster has and whose addresses the machine does not use otherwise. */
export function chooseSlot(taken: readonly number[], used: readonly UsedRange[]): number {
  let conflict: UsedRange | undefined;
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    if (taken.includes(slot)) continue;
    const found = conflictingRange(slotAddresses(slot), used);
    if (found === undefined) return slot;
    conflict = found;
  }
  const last = slotAddresses(SLOT_COUNT - 1).block;
  if (conflict === undefined) throw new Error(`There are ${SLOT_COUNT} clusters on this machine. Take one down first.`);
  throw new Error(
    `No range of addresses is free for the cluster: ${conflict.range} on the link ${conflict.link} overlaps.\n` +
      `One range of ${slotAddresses(0).block} to ${last} must not be routed on this machine (see: ip route).`,
  );
}

export async function clusterNames(): Promise<string[]> {
  const entries = await readdir(CLUSTERS_DIR).catch(() => []);
  const slots = await Promise.all(entries.map(readSlot));
  return entries.filter((_, index) => slots[index] !== undefined);
}

async function takenSlots(): Promise<number[]> {
  const slots = await Promise.all((await clusterNames()).map(readSlot));
  return slots.flatMap((slot) => (slot === undefined ? [] : [slot]));
}

async function readSlot(name: string): Promise<number | undefined> {
  const text = await readFile(join(CLUSTERS_DIR, name, "slot"), "utf8").catch(() => undefined);
  return text === undefined || !/^\d+\s*$/.test(text) ? undefined : Number(text);
}
