import type { JournalEntry } from "../gateway/protocol.ts";
import { deleteBlobs } from "./blobs.ts";
import { changeRecord } from "./change.ts";
import { type Claimant, mustHold } from "./claims.ts";
import type { StateStore } from "./port.ts";
import type { BlobRef, ComponentRecord } from "./record.ts";
import type { Journal } from "./record-of-applies.ts";
import { Refused } from "./refusal.ts";

/** A blob that has grown to this is left alone and a new one begun: 10,000 entries are some thirty blobs. */
const FULL_BYTES = 64 * 1024;

/**
 * Adds entries to the journal of the claimant's Run, which begins at 0. What was added before, at the position or behind it, is
 * recognised; a gap is refused.
 */
export async function appendJournal(
  store: StateStore,
  claimant: Claimant,
  from: number,
  entries: readonly JournalEntry[],
  signal?: AbortSignal,
): Promise<void> {
  const found = await store.record(claimant.key, signal);
  if (found === undefined) throw new Refused("NotFound", "the record of this component is gone");
  mustHold(found.value, claimant);
  const journal = journalOf(found.value, claimant);
  const { entries: known } = journal;
  if (from > known) throw new Refused("BadRequest", `the journal has ${known} entries: send those from ${known} first`);
  const stored = await lastLines(store, found.value, known - from, signal);
  const fresh = entries.filter((entry) => !stored.has(asLine(entry)));
  if (fresh.length === 0) return;
  const tail = journal.blobs.at(-1);
  const open = tail !== undefined && tail.size < FULL_BYTES ? tail : undefined;
  const text = open === undefined ? "" : (await store.getBlob(found.value, open, signal)).toString("utf8");
  const blob = await store.putBlob(found.value, "journal", Buffer.from(text + asLines(fresh)), signal);
  const kept = open === undefined ? journal.blobs : journal.blobs.slice(0, -1);
  const next: Journal = { run: claimant.run, blobs: [...kept, blob], entries: journal.entries + fresh.length };
  await attach(store, claimant, journal, next, { blob, storageId: found.value.storageId }, signal);
}

/** The record may have changed since; the journal itself must not, since its last blob was rewritten. */
async function attach(
  store: StateStore,
  claimant: Claimant,
  before: Journal,
  next: Journal,
  { blob, storageId }: { readonly blob: BlobRef; readonly storageId: string },
  signal?: AbortSignal,
): Promise<void> {
  try {
    await changeRecord(
      store,
      claimant.key,
      (record) => {
        mustHold(record, claimant);
        if (journalOf(record, claimant).entries !== before.entries)
          throw new Refused("InUse", "two batches of the journal came at once: send this one again");
        return { next: { ...record, journal: next }, answer: undefined };
      },
      signal,
    );
  } catch (error) {
    if (error instanceof Refused) await deleteBlobs(store, { storageId }, [blob], signal);
    throw error;
  }
}

function journalOf(record: ComponentRecord, { run }: Claimant): Journal {
  return record.journal?.run === run ? record.journal : { run, blobs: [], entries: 0 };
}

/**
 * At least so many, from the end. Positions alone tell too little: an agent whose disk was full has sent more than it finds after a
 * restart, and counts on from that.
 */
async function lastLines(
  store: StateStore,
  record: ComponentRecord,
  count: number,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const lines: string[] = [];
  for (const blob of record.journal?.blobs.toReversed() ?? []) {
    if (lines.length >= count) break;
    lines.push(...linesIn((await store.getBlob(record, blob, signal)).toString("utf8")));
  }
  return new Set(lines);
}

const asLine = (entry: JournalEntry): string => JSON.stringify(entry);
const asLines = (entries: readonly JournalEntry[]): string => entries.map((entry) => `${asLine(entry)}\n`).join("");
const linesIn = (text: string): string[] => text.split("\n").filter((line) => line !== "");

/** Every entry of one of a record's journals. */
export async function readJournal(
  store: StateStore,
  record: ComponentRecord,
  journal: Journal | undefined,
  signal?: AbortSignal,
): Promise<readonly JournalEntry[]> {
  const texts: string[] = [];
  for (const blob of journal?.blobs ?? []) texts.push((await store.getBlob(record, blob, signal)).toString("utf8"));
  return linesIn(texts.join("")).map((line) => JSON.parse(line) as JournalEntry);
}
