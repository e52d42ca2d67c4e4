import type { Claimant } from "../../../operator/storage/claims.ts";
import type { StateKey } from "../../../operator/storage/record.ts";

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
