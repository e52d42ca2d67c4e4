import type { Clock } from "../loop/clock.ts";
import { asKnownError, attempt } from "./attempts.ts";
import type { Connection } from "./connection.ts";
import { errorFromAnswer, parseAnswer } from "./refusal.ts";

/** One call, before anything about connections, deadlines or retries is decided. */
export interface Call {
  readonly verb: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
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

export interface RequestFacts {
  readonly verb: string;
  readonly resource: string;
  /** 0 when there was no answer. */
  readonly code: number;
  readonly durationMs: number;
}

export interface TransportOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly random?: () => number;
  readonly userAgent?: string;
  readonly deadlineMs?: number;
  readonly onRequest?: (facts: RequestFacts) => void;
}

export interface Transport {
  /** The parsed answer. Throws `ApiError`, `ApiUnreachable`, `NotLeading`, or the reason of the caller's signal. */
  call(call: Call): Promise<unknown>;
  /** The body as it arrives; the deadline is for its beginning only. */
  stream(call: Call): Promise<AsyncIterable<Uint8Array>>;
}

type Answer = Awaited<ReturnType<Connection["dispatcher"]["request"]>>;
type Send = (call: Call, signal: AbortSignal) => Promise<Answer>;

const DEADLINE_MS = 10_000;
/** An API server that just started lets watches wait until its own cache is filled. */
const STREAM_DEADLINE_MS = 30_000;

export function createTransport(options: TransportOptions): Transport {
  const { clock } = options;
  const send = createSend(options);
  const limits = { clock, random: options.random ?? Math.random };
  return {
    call: (call) =>
      attempt(call, { ...limits, deadlineMs: call.deadlineMs ?? options.deadlineMs ?? DEADLINE_MS }, async (signal) => {
        const answer = await send(call, signal);
        const text = await answer.body.text();
        if (answer.statusCode >= 400) throw errorFromAnswer(call, answer.statusCode, answer.headers, text);
        return parseAnswer(call, text);
      }),
    stream: (call) => openStream(clock, call, send),
  };
}

/** One HTTP exchange, repeated once when the credentials were refused: a token may just have been rotated. */
function createSend(options: TransportOptions): Send {
  const { connection, clock } = options;
  const exchange = async (call: Call, signal: AbortSignal, refresh: boolean): Promise<Answer> => {
    const credentials = await connection.headers(refresh);
    call.admit?.(`${call.verb} ${call.path}`);
    const startedAt = clock.monotonicMs();
    const report = (code: number) => {
      const durationMs = clock.monotonicMs() - startedAt;
      options.onRequest?.({ verb: call.verb, resource: call.resource, code, durationMs });
    };
    try {
      const request = { ...requestFor(call, options, credentials), signal };
      const answer = await connection.dispatcher.request(request);
      report(answer.statusCode);
      return answer;
    } catch (error) {
      report(0);
      throw error;
    }
  };
  return async (call, signal) => {
    const answer = await exchange(call, signal, false);
    if (answer.statusCode !== 401) return answer;
    await answer.body.dump();
    return exchange(call, signal, true);
  };
}

function requestFor(call: Call, options: TransportOptions, credentials: Readonly<Record<string, string>>) {
  const { origin, pathPrefix } = options.connection;
  const headers = { accept: "application/json", "user-agent": options.userAgent ?? "terrarium", ...credentials };
  const url = { origin, path: pathPrefix + call.path + queryString(call.query), method: call.method };
  if (call.body === undefined) return { ...url, headers };
  const contentType = call.contentType ?? "application/json";
  return { ...url, headers: { ...headers, "content-type": contentType }, body: JSON.stringify(call.body) };
}

function queryString(query: Call["query"] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? "" : `?${search}`;
}

async function openStream(clock: Clock, call: Call, send: Send): Promise<AsyncIterable<Uint8Array>> {
  call.signal?.throwIfAborted();
  const abort = new AbortController();
  const forward = () => abort.abort(call.signal?.reason);
  const detach = () => call.signal?.removeEventListener("abort", forward);
  call.signal?.addEventListener("abort", forward, { once: true });
  const deadlineMs = call.deadlineMs ?? STREAM_DEADLINE_MS;
  const cancel = clock.setTimer(deadlineMs, () => abort.abort(new Error(`no answer within ${deadlineMs} ms`)));
  try {
    const answer = await send(call, abort.signal);
    if (answer.statusCode >= 400) {
      throw errorFromAnswer(call, answer.statusCode, answer.headers, await answer.body.text());
    }
    answer.body.once("close", detach);
    // Whoever reads it gets the error; one that comes before anybody reads must not end the process.
    answer.body.on("error", () => {});
    return answer.body;
  } catch (error) {
    detach();
    call.signal?.throwIfAborted();
    throw asKnownError(call, error);
  } finally {
    cancel();
  }
}
