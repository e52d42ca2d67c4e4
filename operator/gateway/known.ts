import type { Run } from "../api/run.ts";
import type { Pod } from "../cluster/kinds.ts";
import type { ComponentRecord, StateKey } from "../storage/record.ts";

/**
 * What this process has heard from its watches: free, perhaps a moment old, perhaps missing. Good enough for a Check, which changes nothing;
 * whatever writes reads for itself.
 */
export interface Known {
  pod(namespace: string, name: string): Pod | undefined;
  run(namespace: string, name: string): Run | undefined;
  record(key: StateKey): ComponentRecord | undefined;
}

export const NOTHING_KNOWN: Known = { pod: () => undefined, run: () => undefined, record: () => undefined };
