import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import type { RunOutcome } from "../api/run-status.ts";
import { ENVIRONMENTS } from "../cluster/resources.ts";
import { readOutputs, TooManyOutputs } from "../engine/state-parts.ts";
import { cancelledInstead } from "../run/cancel.ts";
import { intentOf } from "../storage/applying.ts";
import { changeRecord } from "../storage/change.ts";
import { concluded, isRepeated } from "../storage/conclusion.ts";
import { leisurely } from "../storage/leisurely.ts";
import { digestKeyOf, judgedOutputs, outputRecords } from "../storage/outputs.ts";
import { RecordConflict, StoreCorrupt } from "../storage/port.ts";
import type { ComponentRecord, StateVersion } from "../storage/record.ts";
import { Refused } from "../storage/refusal.ts";
import { summariseJournal } from "../storage/run-journal.ts";
import { readState } from "../storage/versions.ts";
import { digestWith, type GatewayContext } from "./context.ts";
import { MOST_OUTPUTS, type ResultReport } from "./protocol.ts";
import type { Session } from "./sessions.ts";
import { usedLogin } from "./used-login.ts";

/**
 * Records the end of a Run, first in the store and then in the Run's status. Repeating it writes the status again, which may have been lost.
 * What the store knows better than the agent (serial, resources, outputs, digest of what is applied) is taken from there.
 */
export async function conclude(
  context: GatewayContext,
  session: Session,
  report: ResultReport,
  signal: AbortSignal,
): Promise<void> {
  const { store, statuses, progress, clock } = context;
  const found = await store.record(session.key, signal);
  if (found === undefined) throw new Refused("NotFound", "the record of this component is gone");
  const record = found.value;
  if (!isRepeated(record, session)) {
    const run = await statuses.run(session, signal);
    const { outputs, told } = await storedOutputs(context, record, report, signal);
    const ended = await completed(context, session, { record, run, outcome: told, signal });
    const outcome = run === undefined ? ended : cancelledInstead(run, ended);
    const request = outcome.result === "Interrupted" ? await requestNow(context, session) : undefined;
    const at = clock.now();
    const conclusion = {
      operation: session.operation,
      outcome,
      outputs,
      ...(run === undefined ? {} : { intent: intentOf(session, run.spec, report.outcome.revision) }),
      login: usedLogin(run, report, at),
      ...(request === undefined ? {} : { request }),
    };
    const decide = (now: ComponentRecord) => {
      // Outputs and serial were read from that state: with another one the whole report is worked out anew.
      if (now.state?.blob.id !== record.state?.blob.id) throw new RecordConflict(session.key);
      return concluded(now, session, conclusion, at);
    };
    await changeRecord(store, session.key, decide, signal);
  }
  const outcome = (await store.record(session.key, signal))?.value.lastResult?.outcome;
  if (outcome !== undefined) await statuses.outcome(session, outcome, signal);
  progress.forget(session.runUid);
}

async function requestNow({ client }: GatewayContext, { key }: Session): Promise<string | undefined> {
  const environment = await client.find<Environment>(ENVIRONMENTS, key.namespace, key.environment);
  return environment?.metadata.annotations?.[ANNOTATIONS.requestedAt];
}

/** A state that cannot be read any more, or its outputs, must not keep the end of its Run from being recorded: that becomes its end. */
async function storedOutputs(
  context: GatewayContext,
  record: ComponentRecord,
  report: ResultReport,
  signal: AbortSignal,
) {
  try {
    const state = await readState(context.store, record, signal);
    const outputs = state === undefined ? [] : await outputsIn(state, context, record, report);
    return { outputs, told: report.outcome };
  } catch (error) {
    if (error instanceof StoreCorrupt || error instanceof TooManyOutputs)
      return { outputs: [], told: toldInstead(report.outcome, error) };
    throw error;
  }
}

function toldInstead(outcome: RunOutcome, error: StoreCorrupt | TooManyOutputs): RunOutcome {
  const isLost = error instanceof StoreCorrupt;
  // What went wrong in another way is told as that: nobody uses its outputs.
  if (!isLost && outcome.result !== "Applied" && outcome.result !== "Unchanged") return outcome;
  const why = isLost
    ? `the stored state cannot be read (${error.message})`
    : `the state is stored, but ${error.message}`;
  const result = outcome.result === "Interrupted" ? "Interrupted" : "Failed";
  const message = `${why}. ${outcome.message}`.slice(0, 1000);
  return { ...outcome, result, reason: isLost ? "StateLost" : "ApplyFailed", message, retry: "Never" };
}

async function outputsIn(state: Buffer, { ring }: GatewayContext, record: ComponentRecord, { outputs }: ResultReport) {
  const found = outputRecords(digestKeyOf(ring, record), await leisurely(readOutputs(state)));
  return judgedOutputs(found, outputs, record.applied?.outputs ?? [], outputs.length >= MOST_OUTPUTS);
}

interface Facts {
  readonly record: ComponentRecord;
  readonly run: Run | undefined;
  readonly outcome: RunOutcome;
  readonly signal: AbortSignal;
}

async function completed(context: GatewayContext, session: Session, facts: Facts): Promise<RunOutcome> {
  const { record, outcome } = facts;
  const { appliedDigest: _claimed, ...told } = outcome;
  const state = record.state === undefined ? {} : factsOf(record.state);
  const digest = appliedDigestOf(context, facts);
  const journal = await journalOf(context, session, facts);
  return {
    ...told,
    ...state,
    ...(digest === undefined ? {} : { appliedDigest: digest }),
    ...(journal === undefined ? {} : { journal }),
  };
}

const factsOf = ({ serial, lineage, resources }: StateVersion) => ({
  stateSerial: serial,
  stateLineage: lineage,
  resources,
});

function appliedDigestOf({ digestOfApplied }: GatewayContext, { run, record, outcome }: Facts): string | undefined {
  if (outcome.result !== "Applied" && outcome.result !== "Unchanged") return undefined;
  const spec = run?.spec;
  if (spec === undefined) return record.attempted?.desiredDigest;
  return digestWith(digestOfApplied, spec, { revision: outcome.revision, claim: record.claim });
}

/** Only where an apply began and did not end well is there more to tell than the state does. */
async function journalOf({ store }: GatewayContext, session: Session, { record, outcome, signal }: Facts) {
  const endedWell = ["Applied", "Unchanged", "Destroyed"].includes(outcome.result);
  if (endedWell) return undefined;
  return summariseJournal(
    store,
    record,
    { run: session.run, isCutOff: outcome.result === "Interrupted" },
    signal,
  ).catch((error: unknown) => {
    if (error instanceof StoreCorrupt) return undefined;
    throw error;
  });
}
