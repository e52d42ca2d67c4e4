import { ApiError, ApiUnreachable } from "../cluster/errors.ts";
import { NotAState } from "../engine/state.ts";
import { KeyMissing, RecordConflict, RecordsUnreadable, StoreCorrupt } from "../storage/port.ts";
import { isRefused, type RefusalCode } from "../storage/refusal.ts";
import { GATEWAY_ERRORS, type GatewayErrorCode } from "./protocol.ts";
import { NoRoom } from "./reception.ts";
import { StateOwnedByOther } from "./state-owned.ts";
import { Unauthenticated } from "./unauthenticated.ts";

export interface ErrorAnswer {
  readonly status: number;
  readonly code: GatewayErrorCode;
  readonly message: string;
  /** True: this is the operator's own fault, and belongs in its log with all that is known. */
  readonly unexpected: boolean;
}

/** What waits for something else to end is worth asking again; all other refusals keep their name. */
const CODES: Readonly<Record<RefusalCode, GatewayErrorCode>> = {
  NotYourRun: "NotYourRun",
  AlreadyClaimed: "AlreadyClaimed",
  Fenced: "Fenced",
  NotApplying: "NotApplying",
  Locked: "Locked",
  LockMismatch: "LockMismatch",
  SerialWentBack: "SerialWentBack",
  LineageDiffers: "LineageDiffers",
  NotAState: "NotAState",
  StateUnsaved: "StateUnsaved",
  OutputMissing: "OutputMissing",
  OutputsUnsettled: "OutputsUnsettled",
  NotFound: "NotFound",
  BadRequest: "BadRequest",
  Moving: "StoreUnavailable",
  InUse: "StoreUnavailable",
  WouldEmpty: "BadRequest",
  MayHoldObjects: "BadRequest",
  NameTaken: "BadRequest",
};

/** Turns whatever was thrown into the protocol's own words. */
export function answerFor(error: unknown): ErrorAnswer {
  if (isRefused(error)) return answer(CODES[error.code], error.message);
  if (error instanceof Unauthenticated) return answer("Unauthenticated", error.message);
  if (error instanceof StateOwnedByOther) return answer("StateOwnedByOther", error.message);
  if (error instanceof NotAState) return answer("NotAState", error.message);
  if (error instanceof RecordsUnreadable) return answerFor(error.cause);
  if (error instanceof StoreCorrupt) return { ...answer("StoreCorrupt", error.message), unexpected: true };
  if (error instanceof KeyMissing) return { ...answer("StoreUnavailable", error.message), unexpected: true };
  if (error instanceof NoRoom) return answer("StoreUnavailable", error.message);
  if (error instanceof RecordConflict || error instanceof ApiUnreachable || isTimeout(error))
    return answer("StoreUnavailable", "the store does not answer, or is busy: send this again");
  if (error instanceof ApiError) {
    const unexpected = error.status < 500 && error.status !== 429 && error.status !== 409;
    return { ...answer("StoreUnavailable", "the Kubernetes API refuses: send this again"), unexpected };
  }
  if (statusOf(error) === 413) return answer("TooLarge", "the body is larger than the gateway takes");
  if (isClientError(error)) return answer("BadRequest", "the request cannot be read");
  return { ...answer("InternalError", "the gateway failed: see the operator's log"), unexpected: true };
}

const answer = (code: GatewayErrorCode, message: string): ErrorAnswer => ({
  status: GATEWAY_ERRORS[code].status,
  code,
  message,
  unexpected: false,
});

const isTimeout = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === "TimeoutError" || error.name === "AbortError");

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}

/** What fastify itself refuses, before any handler. */
const isClientError = (error: unknown): boolean => {
  const status = statusOf(error);
  return status !== undefined && status >= 400 && status < 500;
};
