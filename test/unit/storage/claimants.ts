import { changeRecord } from "../../../operator/storage/change.ts";
import { type Claimant, mustHold } from "../../../operator/storage/claims.ts";
import type { StateStore } from "../../../operator/storage/port.ts";
import type { ComponentRecord, StateKey } from "../../../operator/storage/record.ts";

export const NETWORK: StateKey = { namespace: "team-shop", environment: "shop", component: "network" };
export const ENVIRONMENT_UID = "env-uid";
export const AT = new Date("2030-01-01T00:00:00Z");

/** The pod of the Run with that number. */
export function aPod(number: number, facts: Partial<Claimant> = {}): Claimant {
  return {
    key: NETWORK,
    environmentUid: ENVIRONMENT_UID,
    run: `shop-network-${number}`,
    runUid: `run-uid-${number}`,
    number,
    phase: "Plan",
    pod: `shop-network-${number}-p`,
    podUid: `pod-uid-${number}`,
    ...facts,
  };
}

/** This pod was told to apply, as far as the rules of writing look at it. */
export function applying(record: ComponentRecord, claimant: Claimant): ComponentRecord {
  const told = { planDigest: "sha256:plan", at: AT.toISOString() };
  return { ...record, claim: { ...mustHold(record, claimant), applying: told } };
}

export async function tellToApply(store: StateStore, claimant: Claimant): Promise<void> {
  await changeRecord(store, claimant.key, (record) => ({ next: applying(record, claimant), answer: undefined }));
}

export const fencedRun = ({ run, runUid, number }: Claimant) => ({ name: run, uid: runUid, number });

export interface StateFacts {
  readonly serial: number;
  readonly lineage?: string;
  readonly resources?: readonly string[];
  readonly outputs?: Readonly<Record<string, { readonly value: unknown; readonly sensitive?: boolean }>>;
  readonly padding?: string;
}

export function aState({ serial, lineage = "lineage-1", resources = [], outputs = {}, padding }: StateFacts): Buffer {
  const typed = Object.entries(outputs).map(([name, output]) => [name, { ...output, type: "string" }]);
  return Buffer.from(
    JSON.stringify({
      version: 4,
      terraform_version: "1.12.6",
      serial,
      lineage,
      outputs: Object.fromEntries(typed),
      resources: resources.map((name) => ({
        mode: "managed",
        type: "terraform_data",
        name,
        instances: [{ attributes: { padding } }],
      })),
    }),
  );
}
