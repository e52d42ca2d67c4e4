import type { ComponentRecord } from "../../operator/storage/record.ts";
import type { Hands } from "./world-hands.ts";

/** With `keeps`, only components of which it is true keep themselves awake, and what they need. */
export type StaysAwake = (environmentUid: string, component: string, keeps?: (name: string) => boolean) => boolean;

/** At night, what is left to a person stays awake, and so does what that needs, and what that needs. */
export function awakeOracle(records: () => readonly ComponentRecord[], hands: Pick<Hands, "isReplaced">): StaysAwake {
  return (environmentUid, component, keeps = () => true) => {
    const own = records().filter(({ owner }) => owner.environmentUid === environmentUid);
    const byName = new Map(own.map((record) => [record.key.component, record]));
    const leftToPeople = own.filter(
      ({ key, cutOff, mayHoldObjects }) => (cutOff !== undefined && mayHoldObjects) || hands.isReplaced(key),
    );
    const awake = new Set(leftToPeople.map(({ key }) => key.component).filter(keeps));
    for (const name of awake) {
      if (!keeps(name)) continue;
      const record = byName.get(name);
      for (const needed of (record?.attempted ?? record?.applied)?.inputs.dependsOn ?? []) awake.add(needed);
    }
    return awake.has(component);
  };
}
