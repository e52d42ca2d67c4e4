import type { ComponentRecord } from "../../operator/storage/record.ts";
import type { Hands } from "./world-hands.ts";

export type StaysAwake = (environmentUid: string, component: string) => boolean;

/** At night, what is left to a person stays awake, and so does what that needs, and what that needs. */
export function awakeOracle(records: () => readonly ComponentRecord[], hands: Pick<Hands, "isReplaced">): StaysAwake {
  return (environmentUid, component) => {
    const own = records().filter(({ owner }) => owner.environmentUid === environmentUid);
    const byName = new Map(own.map((record) => [record.key.component, record]));
    const leftToPeople = own.filter(
      ({ key, cutOff, mayHoldObjects }) => (cutOff !== undefined && mayHoldObjects) || hands.isReplaced(key),
    );
    const awake = new Set(leftToPeople.map(({ key }) => key.component));
    for (const name of awake) {
      const record = byName.get(name);
      for (const needed of (record?.attempted ?? record?.applied)?.inputs.dependsOn ?? []) awake.add(needed);
    }
    return awake.has(component);
  };
}
