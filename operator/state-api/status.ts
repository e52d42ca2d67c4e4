import { ApiError } from "../cluster/errors.ts";
import { answerFor } from "../gateway/errors.ts";
import { isRefused, type RefusalCode } from "../storage/refusal.ts";

/** A refusal in Kubernetes' own words: what `kubectl` prints and scripts compare. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: number;
  readonly reason: string;
  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export const notFound = (message: string) => new StatusError(404, "NotFound", message);
export const badRequest = (message: string) => new StatusError(400, "BadRequest", message);

export interface StatusAnswer {
  readonly code: number;
  readonly body: object;
  /** True: this is the operator's own fault, and belongs in its log. */
  readonly unexpected: boolean;
}

const REFUSALS: Partial<Record<RefusalCode, readonly [number, string]>> = {
  NotFound: [404, "NotFound"],
  NotAState: [422, "Invalid"],
  BadRequest: [400, "BadRequest"],
};

/** Whatever was thrown, as a `Status`. What the store's rules refuse is a conflict: with the state as it is, this cannot be. */
export function statusFor(error: unknown): StatusAnswer {
  if (error instanceof StatusError) return answer(error.code, error.reason, error.message);
  if (isRefused(error)) {
    const [code, reason] = REFUSALS[error.code] ?? [409, "Conflict"];
    return answer(code, reason, error.message);
  }
  if (error instanceof ApiError && error.status === 429) return answer(429, "TooManyRequests", error.message);
  const { status, message, unexpected, code } = answerFor(error);
  if (status === 413) return answer(413, "RequestEntityTooLarge", message);
  if (code === "StoreCorrupt") return { ...answer(500, "InternalError", message), unexpected };
  if (status >= 500)
    return { ...answer(status, status === 503 ? "ServiceUnavailable" : "InternalError", message), unexpected };
  return { ...answer(status, "BadRequest", message), unexpected };
}

function answer(code: number, reason: string, message: string): StatusAnswer {
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
  return { code, body, unexpected: false };
}
