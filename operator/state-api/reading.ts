import { blobFor, type Chosen } from "../storage/by-hand.ts";
import { readJournal } from "../storage/journal.ts";
import { leftoversOf } from "../storage/leftovers.ts";
import type { ComponentRecord } from "../storage/record.ts";
import { cutOffApplies, journalsOf } from "../storage/record-of-applies.ts";
import { importBlocks, type LeftByRun } from "./imports.ts";
import { recordFor, type StateRequest, tell } from "./requests.ts";
import { stateObject } from "./state-object.ts";
import { badRequest } from "./status.ts";

export type Answer =
  | { readonly json: unknown; readonly code?: number }
  | { readonly bytes: Buffer; readonly type: string };

export async function getState(request: StateRequest): Promise<Answer> {
  return { json: stateObject(await recordFor(request)) };
}

export async function getContent(request: StateRequest): Promise<Answer> {
  const { context, query, signal } = request;
  const record = await recordFor(request);
  const chosen = chosenBy(query);
  const blob = blobFor(record, chosen);
  request.reserve(blob.size);
  const bytes = await context.store.getBlob(record, blob, signal);
  await tell(request, "StatePulled", `pulled ${nameOf(record, chosen)}`);
  return { bytes, type: "application/json" };
}

export async function getJournal(request: StateRequest): Promise<Answer> {
  const record = await recordFor(request);
  const entries = await readJournal(request.context.store, record, record.journal, request.signal);
  return { json: { ...(record.journal === undefined ? {} : { run: record.journal.run }), entries } };
}

export async function getImports(request: StateRequest): Promise<Answer> {
  const { store } = request.context;
  const record = await recordFor(request);
  const applies: LeftByRun[] = [];
  for (const journal of journalsOf(record)) {
    const { run } = journal;
    const entries = await readJournal(store, record, journal, request.signal);
    const isCutOff = cutOffApplies(record.cutOff).some((apply) => apply.run === run);
    applies.push({ run, leftovers: await leftoversOf(store, record, { run, entries, isCutOff }, request.signal) });
  }
  const text = importBlocks(applies);
  return { bytes: Buffer.from(text), type: "text/plain; charset=utf-8" };
}

/** Which version a person means; undefined: the newest. */
export function chosenBy({ serial, digest, recovery }: StateRequest["query"]): Chosen | undefined {
  if ([serial, digest, recovery].filter((one) => one !== undefined).length > 1)
    throw badRequest("name one of serial, digest and recovery");
  if (recovery === "true") return { recovery: true };
  if (recovery !== undefined) throw badRequest("recovery can only be true");
  if (digest !== undefined) return { digest };
  if (serial === undefined) return undefined;
  if (!/^\d{1,15}$/.test(serial)) throw badRequest("serial is a number");
  return { serial: Number(serial) };
}

export function nameOf({ key, state }: ComponentRecord, chosen: Chosen | undefined): string {
  if (chosen === undefined) return `the state of ${key.component} (serial ${state?.serial ?? 0})`;
  if ("recovery" in chosen) return `the recovery copy of the state of ${key.component}`;
  return `a version of the state of ${key.component} (${"serial" in chosen ? `serial ${chosen.serial}` : chosen.digest})`;
}
