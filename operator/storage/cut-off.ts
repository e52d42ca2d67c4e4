import type { Operation } from "../api/run.ts";
import type { Intent } from "./applying.ts";
import { without } from "./change.ts";
import type { ComponentRecord } from "./record.ts";
import { type CutOffApply, cutOffApplies } from "./record-of-applies.ts";

/** So many applies are known that were cut off one after the other. Each but the first was a person's decision. */
const MOST_KNOWN = 20;

interface CutOffRun {
  readonly name: string;
  readonly uid: string;
  readonly operation: Operation;
  /** Value of the annotation `requestedAt`, as far as it is known. */
  readonly request?: string;
}

/** Notes that this apply was cut off: it had begun, and left no proper end. Not of a destroy: the state tells what is left of one. */
export function withCutOff(record: ComponentRecord, run: CutOffRun, at: Date): ComponentRecord {
  const { attempted } = record;
  if (run.operation !== "Apply" || attempted?.runUid !== run.uid) return record;
  const request = run.request ?? attempted.request;
  if (record.cutOff?.run === run.name && record.cutOff.request === request) return record;
  const before = cutOffApplies(record.cutOff).filter((apply) => apply.run !== run.name);
  return {
    ...record,
    cutOff: {
      run: run.name,
      number: attempted.number,
      desiredDigest: attempted.desiredDigest,
      at: at.toISOString(),
      ...(record.journal?.run === run.name ? { journal: record.journal } : {}),
      ...(request === undefined ? {} : { request }),
      ...(before.length === 0 ? {} : { before: before.slice(0, MOST_KNOWN - 1) }),
    },
  };
}

/** Whoever was to approve how to go on has said no. */
export function withRejection(record: ComponentRecord): ComponentRecord {
  const { cutOff } = record;
  return cutOff === undefined || cutOff.rejected ? record : { ...record, cutOff: { ...cutOff, rejected: true } };
}

/**
 * The Run whose cut-off apply is in the way: nobody has said how to go on, since this plan was not asked for. Whoever decided to make it may not
 * have known.
 */
export function cutOffInTheWay(
  { cutOff, applied }: ComponentRecord,
  { request }: Pick<Intent, "request">,
): string | undefined {
  const isNew = request !== undefined && request !== cutOff?.request && request !== applied?.request;
  return isNew && !cutOff?.rejected ? undefined : cutOff?.run;
}

/**
 * An apply has ended well. A plan that found nothing to do says only that what is declared now is there: whatever else the apply that was cut off
 * had begun, when something else was declared, is not in the state and may be made twice.
 */
export function resolvedBy(
  record: ComponentRecord,
  result: "Applied" | "Unchanged",
  { desiredDigest }: { readonly desiredDigest: string },
): ComponentRecord {
  const { cutOff } = record;
  const isLeft = (apply: CutOffApply): boolean => result === "Unchanged" && apply.desiredDigest !== desiredDigest;
  const [newest, ...before] = cutOffApplies(cutOff).filter(isLeft);
  if (cutOff === undefined || newest === undefined) return without(record, "cutOff");
  return { ...record, cutOff: { ...without(cutOff, "before"), ...newest, ...(before.length === 0 ? {} : { before }) } };
}
