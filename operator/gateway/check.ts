import { digestOf } from "../api/digest.ts";
import { digestOfIgnore } from "../api/drift.ts";
import { isClosed, type Run } from "../api/run.ts";
import type { RunOutcome } from "../api/run-status.ts";
import { changeRecord } from "../storage/change.ts";
import { checked, type Finding, isCurrent } from "../storage/checked.ts";
import { mustBeOwned } from "../storage/claims.ts";
import { StoreCorrupt } from "../storage/port.ts";
import { type BlobRef, type ComponentRecord, stateKeyText } from "../storage/record.ts";
import { Refused } from "../storage/refusal.ts";
import type { GatewayContext } from "./context.ts";
import type { ResultReport, WorkOrder } from "./protocol.ts";
import type { Session } from "./sessions.ts";
import { workOrderFor } from "./work-order.ts";

/**
 * A Check takes no claim and no lock, so the store lets it write nothing: there is nothing to release when its pod dies, and nobody has to wait
 * for it. It reads what was applied, and tells what it has seen; whoever changes the component meanwhile is in the right.
 */

const MOST_RECORDED = 10;
const ENDS: readonly RunOutcome["result"][] = ["Unchanged", "Drifted", "Failed", "Waiting"];

export const SUPERSEDED: RunOutcome = {
  result: "Cancelled",
  reason: "Superseded",
  message: "the component was changed meanwhile, so this says nothing about what is now",
};

/** The order for a Check: the module and the values of the last apply. */
export async function orderForCheck(
  context: GatewayContext,
  session: Session,
  run: Run,
  signal: AbortSignal,
): Promise<WorkOrder> {
  const known = await recordFor(context, session, signal);
  const record = isCurrent(known, session) ? known : await storedRecord(context, session, signal);
  if (!isCurrent(record, session)) {
    await context.statuses.checked(session, { outcome: SUPERSEDED, at: context.clock.now() }, run, signal);
    throw new Refused("Fenced", `there is nothing to check for Run ${session.run} any more: ${SUPERSEDED.message}`);
  }
  return workOrderFor(context.ring, session, run, { record, claim: undefined, variables: [] });
}

/**
 * What a Check may read, from the record that is known or, where that is too old, from the newest. It has no claim that ends with its Run, and a
 * session does not expire: so both are asked, whether the Run is open and whose the state is.
 */
export async function readForCheck(
  context: GatewayContext,
  session: Session,
  which: (record: ComponentRecord) => BlobRef | undefined,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const { store } = context;
  await mustBeOpen(context, session, signal);
  const read = async (record: ComponentRecord) => {
    mustBeOwned(record, session);
    const blob = which(record);
    return blob === undefined ? undefined : store.getBlob(record, blob, signal);
  };
  try {
    return await read(await recordFor(context, session, signal));
  } catch (error) {
    if (!(error instanceof StoreCorrupt)) throw error;
    return read(await storedRecord(context, session, signal));
  }
}

async function mustBeOpen({ known, statuses }: GatewayContext, session: Session, signal: AbortSignal): Promise<void> {
  const heard = known.run(session.key.namespace, session.run);
  const run = heard?.metadata.uid === session.runUid ? heard : await statuses.run(session, signal);
  if (run !== undefined && !isClosed(run)) return;
  throw new Refused("Fenced", `Run ${session.run} has ended: it has nothing more to look at`);
}

/** Records what a Check has found, if that is news, and closes its Run. Repeating it is harmless. */
export async function concludeCheck(
  context: GatewayContext,
  session: Session,
  report: ResultReport,
  signal: AbortSignal,
): Promise<void> {
  const { known, statuses, clock } = context;
  const { outcome, plan } = report;
  const heard = known.run(session.key.namespace, session.run);
  const seen = heard?.metadata.uid === session.runUid ? heard : undefined;
  // It was cancelled, or this is told again: there is nobody to tell.
  if (seen !== undefined && isClosed(seen)) return;
  if (!ENDS.includes(outcome.result)) throw new Refused("BadRequest", `a Check cannot end as ${outcome.result}`);
  const at = clock.now();
  const looked = outcome.result === "Unchanged" || outcome.result === "Drifted";
  // What was found is recorded with what the Check was to ignore, which only its Run says.
  const run = seen ?? (outcome.result === "Drifted" ? await statuses.run(session, signal) : undefined);
  const isNoted = !looked || (await noted(context, session, findingOf(report, run), at, signal));
  const pod = known.pod(session.key.namespace, session.pod);
  const startedAt = pod?.metadata.uid === session.podUid ? pod.metadata.creationTimestamp : undefined;
  const told = isNoted ? outcome : SUPERSEDED;
  await statuses.checked(
    session,
    { outcome: told, at, ...(plan === undefined ? {} : { plan }), ...(startedAt === undefined ? {} : { startedAt }) },
    run,
    signal,
  );
  context.onChecked(session, told, startedAt === undefined ? 0 : at.getTime() - Date.parse(startedAt));
}

function findingOf(
  { outcome: { result, stateSerial }, plan, driftDigest }: ResultReport,
  run: Run | undefined,
): Finding {
  if (result === "Unchanged") return { stateSerial, drift: undefined };
  if (plan === undefined) throw new Refused("BadRequest", "a Check that has found something tells what, with its plan");
  const { counts, resources } = plan;
  const addresses = resources.slice(0, MOST_RECORDED).map(({ address }) => address);
  const formerDigest = digestOf({ counts, resources });
  const ignoreDigest = run === undefined ? {} : { ignoreDigest: digestOfIgnore(run.spec.drift?.ignore) };
  return {
    stateSerial,
    drift: { counts, addresses, digest: driftDigest ?? formerDigest },
    formerDigest,
    ...ignoreDigest,
  };
}

async function noted(
  context: GatewayContext,
  session: Session,
  finding: Finding,
  at: Date,
  signal: AbortSignal,
): Promise<boolean> {
  const expected = checked(await recordFor(context, session, signal), session, finding, at);
  if (expected.next === undefined && expected.answer === "noted") return true;
  const decide = (record: ComponentRecord) => checked(record, session, finding, at);
  return (await changeRecord(context.store, session.key, decide, signal)).answer === "noted";
}

async function recordFor(context: GatewayContext, session: Session, signal: AbortSignal): Promise<ComponentRecord> {
  return context.known.record(session.key) ?? storedRecord(context, session, signal);
}

async function storedRecord(
  { store }: GatewayContext,
  { key }: Session,
  signal: AbortSignal,
): Promise<ComponentRecord> {
  const found = await store.record(key, signal);
  if (found === undefined) throw new Refused("NotFound", `there is no record of ${stateKeyText(key)}`);
  return found.value;
}
