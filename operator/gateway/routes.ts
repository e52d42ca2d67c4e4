import { isUtf8 } from "node:buffer";
import type { z } from "zod";
import { archived, destroyBasis } from "../storage/applying.ts";
import { changeRecord } from "../storage/change.ts";
import { mustHold } from "../storage/claims.ts";
import { held, heldFor } from "../storage/holding.ts";
import { appendJournal } from "../storage/journal.ts";
import { acquireLock, releaseLock } from "../storage/locking.ts";
import { StoreCorrupt } from "../storage/port.ts";
import type { BlobRef, ComponentRecord } from "../storage/record.ts";
import { recoverState } from "../storage/recovery.ts";
import { isRefused, Refused } from "../storage/refusal.ts";
import { digestOfBytes } from "../storage/secret-blobs.ts";
import { readState, writeState } from "../storage/versions.ts";
import { concludeCheck, readForCheck } from "./check.ts";
import type { GatewayContext } from "./context.ts";
import { runReference } from "./plan-text.ts";
import { journalBatch, lockInfo, planRequest, progressReport, resultReport } from "./protocol.ts";
import type { Reserve } from "./reception.ts";
import { conclude } from "./results.ts";
import type { Session } from "./sessions.ts";
import { answerPlan } from "./verdict.ts";

/** A request of a pod whose session is genuine; whether it still holds its claim is for each handler to find out. */
export interface SessionRequest {
  readonly context: GatewayContext;
  readonly session: Session;
  readonly body: Buffer;
  /** `ID` of the query: the lock that the engine believes to hold. */
  readonly lockId: string;
  /** For what the answer holds. */
  readonly reserve: Reserve;
  readonly signal: AbortSignal;
}

export type Answer =
  | { readonly status: 200 | 423; readonly json: unknown }
  | { readonly status: 200; readonly bytes: Buffer; readonly type: string }
  | { readonly status: 202 | 204 };

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** Which of the limits counts for its body. */
  readonly limit: "small" | "text" | "archive" | "bundle" | "state";
  /** Which limit of time counts, where it is not that of every request. */
  readonly within?: "progressMs";
  readonly handle: (request: SessionRequest) => Promise<Answer>;
}

const DONE: Answer = { status: 204 };
const NOT_WRITTEN: Answer = { status: 202 };

export const ROUTES: readonly Route[] = [
  { method: "GET", path: "/v1/state", limit: "small", handle: getState },
  { method: "POST", path: "/v1/state", limit: "state", handle: postState },
  { method: "PUT", path: "/v1/state/lock", limit: "small", handle: putLock },
  { method: "DELETE", path: "/v1/state/lock", limit: "small", handle: deleteLock },
  { method: "GET", path: "/v1/archive", limit: "small", handle: getArchive },
  { method: "PUT", path: "/v1/archive", limit: "archive", handle: putArchive },
  { method: "POST", path: "/v1/plan", limit: "small", handle: postPlan },
  { method: "PUT", path: "/v1/plan/bundle", limit: "bundle", handle: putBundle },
  { method: "GET", path: "/v1/plan/bundle", limit: "small", handle: getBundle },
  { method: "PUT", path: "/v1/plan/text", limit: "text", handle: putPlanText },
  { method: "POST", path: "/v1/journal", limit: "small", handle: postJournal },
  { method: "POST", path: "/v1/progress", limit: "small", within: "progressMs", handle: postProgress },
  { method: "PUT", path: "/v1/recovery", limit: "state", handle: putRecovery },
  { method: "POST", path: "/v1/result", limit: "small", handle: postResult },
];

/** Parses at the border. The message names fields and never quotes the body. */
export function parsed<T>(schema: z.ZodType<T>, body: Buffer): T {
  const result = schema.safeParse(jsonIn(body));
  if (result.success) return result.data;
  const fields = [...new Set(result.error.issues.map(({ path }) => path.join(".") || "(body)"))];
  throw new Refused("BadRequest", `the body is not what was expected: look at ${fields.join(", ")}`);
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refused("BadRequest", "the body is not JSON");
  }
}

/** The record, for whoever holds the claim. */
async function heldRecord({ context, session, signal }: SessionRequest): Promise<ComponentRecord> {
  const { after } = await changeRecord(
    context.store,
    session.key,
    (record) => ({ answer: mustHold(record, session) }),
    signal,
  );
  return after.value;
}

async function getState(request: SessionRequest): Promise<Answer> {
  const state =
    request.session.operation === "Check"
      ? await read(request, ({ state: head }) => head?.blob)
      : await heldState(request);
  return state === undefined ? DONE : { status: 200, bytes: state, type: "application/json" };
}

async function heldState(request: SessionRequest): Promise<Buffer | undefined> {
  const record = await heldRecord(request);
  request.reserve(record.state?.blob.size ?? 0);
  return readState(request.context.store, record, request.signal);
}

async function postState({ context, session, lockId, body, signal }: SessionRequest): Promise<Answer> {
  await writeState(context.store, session, lockId, body, context.clock.now(), signal);
  return DONE;
}

async function putLock({ context, session, body, signal }: SessionRequest): Promise<Answer> {
  const info = parsed(lockInfo, body);
  const wanted = { id: info.ID, operation: info.Operation.slice(0, 64) };
  try {
    await acquireLock(context.store, session, wanted, context.clock.now(), signal);
    return { status: 200, json: info };
  } catch (error) {
    if (!isRefused(error, "Locked") || error.holder === undefined) throw error;
    const { id, operation, run, pod, since } = error.holder;
    const holder = {
      ID: id,
      Operation: operation,
      Info: `Run ${run}`,
      Who: pod,
      Version: "",
      Created: since,
      Path: "",
    };
    return { status: 423, json: holder };
  }
}

async function deleteLock({ context, session, lockId, signal }: SessionRequest): Promise<Answer> {
  await releaseLock(context.store, session, lockId, signal);
  return DONE;
}

async function getArchive(request: SessionRequest): Promise<Answer> {
  const bytes = await archiveFor(request);
  return { status: 200, bytes, type: "application/gzip" };
}

async function archiveFor(request: SessionRequest): Promise<Buffer> {
  if (request.session.operation === "Check") {
    const bytes = await read(request, ({ applied }) => applied?.archive);
    if (bytes === undefined) throw new Refused("NotFound", "nothing is applied here, so there is nothing to check");
    return bytes;
  }
  return heldBlob(request, (record) => heldFor(record, request.session)?.archive ?? destroyBasis(record).archive);
}

/** Where a blob is missing, somebody may have ended this Run while it was read, and dropped it: then that is the answer. */
async function heldBlob(request: SessionRequest, which: (record: ComponentRecord) => BlobRef): Promise<Buffer> {
  const record = await heldRecord(request);
  const blob = which(record);
  request.reserve(blob.size);
  try {
    return await request.context.store.getBlob(record, blob, request.signal);
  } catch (error) {
    if (error instanceof StoreCorrupt) await heldRecord(request);
    throw error;
  }
}

const read = ({ context, session, reserve, signal }: SessionRequest, which: Parameters<typeof readForCheck>[2]) => {
  const reserved: typeof which = (record) => {
    const blob = which(record);
    reserve(blob?.size ?? 0);
    return blob;
  };
  return readForCheck(context, session, reserved, signal);
};

async function putArchive(request: SessionRequest): Promise<Answer> {
  const { context, session, body, signal } = request;
  const record = await heldRecord(request);
  if (record.claim?.archive?.digest === digestOfBytes(body)) return DONE;
  const blob = await context.store.putBlob(record, "archive", body, signal);
  await changeRecord(context.store, session.key, (found) => archived(found, session, blob), signal);
  return DONE;
}

async function postPlan({ context, session, body, signal }: SessionRequest): Promise<Answer> {
  return { status: 200, json: await answerPlan(context, session, parsed(planRequest, body), signal) };
}

/** From here on the plan waits. A repeated upload, whose answer was lost, finds that it does. */
async function putBundle({ context, session, body, signal }: SessionRequest): Promise<Answer> {
  const { store, statuses, clock } = context;
  const found = (await store.record(session.key, signal))?.value;
  if (found === undefined) throw new Refused("NotFound", "the record of this component is gone");
  const waiting = heldFor(found, session);
  if (waiting === undefined || waiting.bundle.digest !== digestOfBytes(body)) {
    mustHold(found, session);
    const blob = await store.putBlob(found, "plan", body, signal);
    await changeRecord(store, session.key, (record) => held(record, session, blob, clock.now()), signal);
  }
  const at = (await store.record(session.key, signal))?.value.held?.at;
  if (at !== undefined) await statuses.held(session, at, signal);
  return DONE;
}

async function getBundle(request: SessionRequest): Promise<Answer> {
  const bytes = await heldBlob(request, (record) => {
    const waiting = heldFor(record, request.session);
    if (waiting === undefined) throw new Refused("NotFound", "no plan of this Run waits");
    return waiting.bundle;
  });
  return { status: 200, bytes, type: "application/gzip" };
}

async function putPlanText(request: SessionRequest): Promise<Answer> {
  const { context, session, body, signal } = request;
  if (!isUtf8(body)) throw new Refused("BadRequest", "the body is not UTF-8");
  await heldRecord(request);
  try {
    await context.planTexts.write(session, body.toString("utf8"), signal);
  } catch (error) {
    if (isRefused(error)) await tellPlanTextRefused(request, error.message);
    throw error;
  }
  return DONE;
}

/** Whoever is to approve the plan would look for its text, and may find what somebody else has put there. */
async function tellPlanTextRefused({ context, session, signal }: SessionRequest, why: string): Promise<void> {
  const message = `the text of the plan is not kept, so none is the operator's: ${why}`;
  context.tell(runReference(session), "PlanTextRefused", message);
  await context.statuses.planTextRefused(session, message, signal);
}

async function postJournal({ context, session, body, signal }: SessionRequest): Promise<Answer> {
  const { from, entries } = parsed(journalBatch, body);
  await appendJournal(context.store, session, from, entries, signal);
  return DONE;
}

async function postProgress(request: SessionRequest): Promise<Answer> {
  const { context, session, body, signal } = request;
  const report = parsed(progressReport, body);
  if (!context.progress.admit(session.runUid, report)) return NOT_WRITTEN;
  try {
    await heldRecord(request);
    await context.statuses.progress(session, report, context.clock.now(), signal);
  } catch (error) {
    // It is told again, and is news then, too.
    context.progress.forget(session.runUid);
    throw error;
  }
  return DONE;
}

async function putRecovery({ context, session, body, signal }: SessionRequest): Promise<Answer> {
  await recoverState(context.store, session, body, context.clock.now(), signal);
  return DONE;
}

async function postResult({ context, session, body, signal }: SessionRequest): Promise<Answer> {
  const end = session.operation === "Check" ? concludeCheck : conclude;
  await end(context, session, parsed(resultReport, body), signal);
  return DONE;
}
