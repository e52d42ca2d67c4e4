import type { Operation } from "../api/run.ts";
import { without } from "./change.ts";
import type { Applied, ComponentRecord } from "./record.ts";

interface EndedRun {
  readonly name: string;
  readonly uid: string;
  readonly operation: Operation;
  /** Value of the annotation `requestedAt`, as far as it is known. */
  readonly request?: string;
}

/** The Run was told to apply and has left no result. What is left of a destroy is known from the state, so trying that again is safe. */
export function withCutOff(record: ComponentRecord, run: EndedRun, at: Date): ComponentRecord {
  const { attempted } = record;
  if (run.operation !== "Apply" || attempted?.runUid !== run.uid || record.cutOff?.run === run.name) return record;
  const request = run.request ?? attempted.request;
  return {
    ...record,
    cutOff: {
      run: run.name,
      number: attempted.number,
      desiredDigest: attempted.desiredDigest,
      at: at.toISOString(),
      ...(request === undefined ? {} : { request }),
    },
  };
}

/**
 * An apply has ended well. A plan that found nothing to do says only that what is declared now is there: whatever else the apply that was cut off
 * had begun, when something else was declared, is not in the state and may be made twice.
 */
export function resolvedBy(record: ComponentRecord, applied: Pick<Applied, "desiredDigest">, changed: boolean) {
  const { cutOff } = record;
  const isResolved = changed || cutOff?.desiredDigest === applied.desiredDigest;
  return isResolved ? without(record, "cutOff") : record;
}
