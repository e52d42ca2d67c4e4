import { without } from "./change.ts";
import type { ComponentRecord, StateVersion } from "./record.ts";

/** Versions that are the last of a Run are kept for this many Runs. */
const RUNS = 10;
/** Newest other versions that are kept. */
const INTERMEDIATES = 3;

/** The record with a new head; what was the head becomes history. */
export function withHead(record: ComponentRecord, head: StateVersion): ComponentRecord {
  const earlier = record.state === undefined ? record.history : [record.state, ...record.history];
  return { ...without(record, "state"), state: head, history: retained(head, earlier) };
}

/**
 * What stays of the earlier versions (newest first): the last version of each of the last ten Runs, so that of the Run before, on which the
 * present one builds, is always among them; and the newest three of the rest.
 */
export function retained(head: StateVersion, earlier: readonly StateVersion[]): readonly StateVersion[] {
  const runs = new Set([head.run]);
  let intermediates = 0;
  return earlier.filter(({ run }) => {
    if (!runs.has(run)) {
      runs.add(run);
      return runs.size <= RUNS;
    }
    intermediates += 1;
    return intermediates <= INTERMEDIATES;
  });
}
