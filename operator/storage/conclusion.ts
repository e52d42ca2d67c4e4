import type { Operation } from "../api/run.ts";
import type { OutputRecord, RunOutcome } from "../api/run-status.ts";
import type { Intent } from "./applying.ts";
import { type Change, without } from "./change.ts";
import { type Claimant, mustHold } from "./claims.ts";
import { resolvedBy, withCutOff, withRejection } from "./cut-off.ts";
import { withoutRepeatedRules } from "./declared-rules.ts";
import { withoutHeld } from "./holding.ts";
import type { Applied, BlobRef, ComponentRecord, UsedLogin } from "./record.ts";
import { Refused } from "./refusal.ts";

/** How a Run ended, with all that its record needs to know. */
export interface Conclusion {
  readonly operation: Operation;
  readonly outcome: RunOutcome;
  /** Absent where the Run's object is gone: then what was recorded when the apply began must do. */
  readonly intent?: Intent;
  /** Outputs of the state that is stored. */
  readonly outputs: readonly OutputRecord[];
  /** The login that the source was fetched with. */
  readonly login?: UsedLogin | undefined;
  /** Value of the annotation `requestedAt` by now; looked up where the apply was interrupted. */
  readonly request?: string;
}

/**
 * The record after the end of a Run: result, what is applied, whether anything may exist; the claim is fenced. The same report may come
 * again. The lock stays: it is released by its holder or by `fence`.
 */
export function concluded(
  record: ComponentRecord,
  claimant: Claimant,
  conclusion: Conclusion,
  at: Date,
): Change<"recorded" | "repeated"> {
  if (isRepeated(record, claimant)) return { answer: "repeated" };
  const claim = mustHold(record, claimant);
  const { outcome, login } = conclusion;
  const now = at.toISOString();
  const { archive: _used, ...bare } = claim;
  const next: ComponentRecord = {
    ...withoutHeld(effectOf(record, claimant, conclusion, now), claimant.runUid),
    claim: { ...bare, fenced: { why: `the result ${outcome.result} was reported`, at: now } },
    lastResult: { runUid: claimant.runUid, podUid: claimant.podUid, outcome, at: now },
    ...(login === undefined ? {} : { sourceCredentials: login }),
  };
  return { next, answer: "recorded" };
}

export const isRepeated = ({ lastResult }: ComponentRecord, { runUid, podUid }: Claimant): boolean =>
  lastResult?.runUid === runUid && lastResult.podUid === podUid;

function effectOf(record: ComponentRecord, claimant: Claimant, conclusion: Conclusion, at: string): ComponentRecord {
  switch (conclusion.outcome.result) {
    case "Applied":
      mustHaveBegun(record, claimant);
      return withApplied(record, { ...appliedFrom(record, conclusion, record.attempted?.archive), at }, "Applied");
    case "Unchanged":
      return withApplied(record, { ...appliedFrom(record, conclusion, archiveFor(record)), at }, "Unchanged");
    case "Destroyed":
      mustBeEmpty(record, conclusion);
      return withNothingLeft(record);
    case "Drifted":
      throw new Refused("BadRequest", "only a Check ends as Drifted");
    case "Interrupted": {
      const { run: name, runUid: uid } = claimant;
      const { operation, request } = conclusion;
      return withCutOff(record, { name, uid, operation, ...(request === undefined ? {} : { request }) }, new Date(at));
    }
    case "Cancelled":
      return conclusion.outcome.reason === "Rejected" ? withRejection(record) : record;
    case "Failed":
    case "Waiting":
      return record;
  }
}

const archiveFor = ({ claim, applied }: ComponentRecord): BlobRef | undefined => claim?.archive ?? applied?.archive;

/** Whatever was begun before has ended well by now. */
function settled(record: ComponentRecord): ComponentRecord {
  const { attempted: _attempted, destroyBegun: _begun, drift: _drift, adoptedApply: _seen, written, ...rest } = record;
  return { ...rest, ...(written === undefined ? {} : { written: without(written, "replaced") }) };
}

export function withApplied(
  record: ComponentRecord,
  applied: Applied,
  result: "Applied" | "Unchanged",
): ComponentRecord {
  return withoutRepeatedRules({ ...settled(resolvedBy(record, result, applied)), applied });
}

/** Rules go with what they were about: what is applied next has its own. */
export function withNothingLeft(record: ComponentRecord): ComponentRecord {
  return { ...without(without(settled(record), "applied"), "declaredRules"), mayHoldObjects: false };
}

function appliedFrom(
  record: ComponentRecord,
  { intent, outcome, outputs, operation }: Conclusion,
  archive: BlobRef | undefined,
): Omit<Applied, "at"> {
  if (operation !== "Apply") throw new Refused("BadRequest", `a destroy cannot end as ${outcome.result}`);
  const meant = intent ?? record.attempted;
  if (meant === undefined)
    throw new Refused("NotFound", "the Run is gone, and what it meant to apply was never recorded");
  if (archive === undefined)
    throw new Refused("BadRequest", "the archive of this attempt is missing: PUT /v1/archive first");
  const { desiredDigest, run, runUid, number, engine, inputs, request } = meant;
  const revision = outcome.revision ?? meant.revision;
  return {
    desiredDigest: outcome.appliedDigest ?? desiredDigest,
    run,
    runUid,
    number,
    engine,
    inputs,
    archive,
    outputs,
    ...(revision === undefined ? {} : { revision }),
    ...(request === undefined ? {} : { request }),
  };
}

function mustHaveBegun({ claim, attempted }: ComponentRecord, { runUid }: Claimant): void {
  if (claim?.applying !== undefined && attempted?.runUid === runUid) return;
  throw new Refused("BadRequest", "this Run was never told to apply: POST /v1/plan comes first");
}

/** Whatever the report says: while the stored state has resources, they are not gone. */
function mustBeEmpty({ state }: ComponentRecord, { operation }: Conclusion): void {
  if (operation !== "Destroy") throw new Refused("BadRequest", "an apply cannot end as Destroyed");
  const left = state?.resources ?? 0;
  if (left > 0) throw new Refused("BadRequest", `the stored state still has ${left} resources: they are not destroyed`);
}
