import type { RunOutcome } from "../api/run-status.ts";
import { readJournal } from "./journal.ts";
import { leftoversOf, type ReportedApply } from "./leftovers.ts";
import type { StateStore } from "./port.ts";
import type { ComponentRecord } from "./record.ts";

const MOST_LEFTOVERS = 10;
const LONGEST = 256;

/** What an apply did that the stored state may not tell: how much was journalled, and the first things that are not in the state. */
export async function summariseJournal(
  store: StateStore,
  record: ComponentRecord,
  { run, isCutOff }: Omit<ReportedApply, "entries">,
  signal?: AbortSignal,
): Promise<RunOutcome["journal"]> {
  if (record.journal?.run !== run) return undefined;
  const entries = await readJournal(store, record, record.journal, signal);
  const left = await leftoversOf(store, record, { run, entries, isCutOff }, signal);
  const shown = left.slice(0, MOST_LEFTOVERS);
  return {
    entries: entries.length,
    completed: entries.filter(({ event }) => event === "apply_complete").length,
    leftovers: shown.map(({ address, id }) => ({
      address: address.slice(0, LONGEST),
      ...(id === undefined ? {} : { id: id.slice(0, LONGEST) }),
    })),
    ...(left.length === shown.length ? {} : { more: left.length - shown.length }),
  };
}
