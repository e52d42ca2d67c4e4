/** Facts of a refusal, from the `Status` object that the API server answers with. */
export interface ApiErrorFacts {
  /** Verb and path, for the log. */
  readonly request: string;
  /** HTTP status. */
  readonly status: number;
  /** Kubernetes' machine reason, e.g. `Conflict`, `AlreadyExists`. */
  readonly reason: string;
  readonly message: string;
  readonly retryAfterMs?: number;
  /** `status.details`: kind, name, causes with field paths. */
  readonly details?: unknown;
}

/** The API server answered, and the answer was no. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
  readonly details: unknown;

  constructor(facts: ApiErrorFacts) {
    super(`${facts.request}: ${facts.status} ${facts.reason}: ${facts.message}`);
    this.status = facts.status;
    this.reason = facts.reason;
    this.retryAfterMs = facts.retryAfterMs;
    this.details = facts.details;
  }
}

/** Nobody knows whether the request was carried out: no answer, or half of one, within the deadline. */
export class ApiUnreachable extends Error {
  override readonly name = "ApiUnreachable";

  constructor(request: string, why: string, cause?: unknown) {
    super(`${request}: no answer from the Kubernetes API: ${why}`, cause === undefined ? {} : { cause });
  }
}

/** This replica may not write any more: another one may lead. */
export class NotLeading extends Error {
  override readonly name = "NotLeading";

  constructor(request: string) {
    super(`${request}: not sent, this replica does not hold the lease`);
  }
}

const hasStatus = (error: unknown, status: number): error is ApiError =>
  error instanceof ApiError && error.status === status;

export const isNotFound = (error: unknown): error is ApiError => hasStatus(error, 404);
/** The server knows no such kind, rather than no such object: itself, or as it answers for a group that nobody has registered. */
export const isNotServed = (error: unknown): error is ApiError =>
  isNotFound(error) && /could not find the requested resource|404 page not found/.test(error.message);
export const isForbidden = (error: unknown): error is ApiError => hasStatus(error, 403);
/** A role lacks a verb, in the words of the API server's authorizer: quotas and admission answer 403, too, in words of their own. */
export const isRightMissing = (error: unknown): error is ApiError =>
  isForbidden(error) && / cannot [a-z]+ resource "/.test(error.message);
/** An API server that has just begun refuses what its admission cannot judge yet, in the words of its plugins: in a moment it can. */
export const isNotReadyYet = (error: unknown): error is ApiError =>
  isForbidden(error) && error.message.includes("not yet ready to handle request");
/** The webhook that has to be asked and did not answer, in the API server's words: nothing was written, and nothing is while it is away. */
export const absentWebhook = (error: unknown): string | undefined =>
  hasStatus(error, 500) ? /failed calling webhook "([^"]+)"/.exec(error.message)?.[1] : undefined;
export const isInvalid = (error: unknown): error is ApiError => hasStatus(error, 422);
/** The version asked for is no longer known: list again. */
export const isGone = (error: unknown): error is ApiError => hasStatus(error, 410);
/** Both are 409; only the reason tells them apart. */
export const isAlreadyExists = (error: unknown): error is ApiError =>
  hasStatus(error, 409) && error.reason === "AlreadyExists";
export const isConflict = (error: unknown): error is ApiError => hasStatus(error, 409) && !isAlreadyExists(error);
