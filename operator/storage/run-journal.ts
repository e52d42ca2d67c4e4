import type { RunOutcome } from "../api/run-status.ts";
import { parseState } from "../engine/state.ts";
import { leftovers, readJournal } from "./journal.ts";
import type { StateStore } from "./port.ts";
import type { ComponentRecord } from "./record.ts";
import { readState } from "./versions.ts";

const MOST_LEFTOVERS = 10;
const LONGEST = 256;

/** What an apply did that the stored state may not tell: how much was journalled, and the first things that are not in the state. */
export async function summariseJournal(
  store: StateStore,
  record: ComponentRecord,
  run: string,
  signal?: AbortSignal,
): Promise<RunOutcome["journal"]> {
  if (record.journal?.run !== run) return undefined;
  const entries = await readJournal(store, record, signal);
  const state = await readState(store, record, signal);
  const addresses = state === undefined ? [] : parseState(state.toString("utf8")).addresses;
  const shown = leftovers(entries, addresses).slice(0, MOST_LEFTOVERS);
  return {
    entries: entries.length,
    completed: entries.filter(({ event }) => event === "apply_complete").length,
    leftovers: shown.map(({ address, id }) => ({
      address: address.slice(0, LONGEST),
      ...(id === undefined ? {} : { id: id.slice(0, LONGEST) }),
    })),
  };
}
