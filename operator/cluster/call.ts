/** One call, before anything about connections, deadlines or retries is decided. */
export interface Call {
  readonly verb: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** In place of `body`: JSON that goes out as it is. */
  readonly text?: string;
  readonly contentType?: string;
  /** Plural of the resource, for the request counter. */
  readonly resource: string;
  /** Doing it twice is as good as doing it once: may be repeated when nobody knows whether it was done. */
  readonly idempotent: boolean;
  /** What the server says about the body must not be repeated: it may quote it. */
  readonly secret: boolean;
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Asked before every attempt; throws when it may no longer be made. */
  readonly admit?: ((request: string) => void) | undefined;
}
