import type { Clock } from "../loop/clock.ts";
import { deadline } from "../loop/deadline.ts";
import { asKnownError, attempt } from "./attempts.ts";
import type { Call } from "./call.ts";
import type { Connection } from "./connection.ts";
import { errorFromAnswer, parseAnswer } from "./refusal.ts";

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
  const body = call.text ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
  if (body === undefined) return { ...url, headers };
  return { ...url, headers: { ...headers, "content-type": call.contentType ?? "application/json" }, body };
}

function queryString(query: Call["query"] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? "" : `?${search}`;
}

async function openStream(clock: Clock, call: Call, send: Send): Promise<AsyncIterable<Uint8Array>> {
  call.signal?.throwIfAborted();
  const deadlineMs = call.deadlineMs ?? STREAM_DEADLINE_MS;
  const limit = deadline(clock, deadlineMs, `no answer within ${deadlineMs} ms`, call.signal);
  try {
    const answer = await send(call, limit.signal);
    if (answer.statusCode >= 400) {
      throw errorFromAnswer(call, answer.statusCode, answer.headers, await answer.body.text());
    }
    limit.stopClock();
    answer.body.once("close", limit.end);
    // Whoever reads it gets the error; one that comes before anybody reads must not end the process.
    answer.body.on("error", () => {});
    return answer.body;
  } catch (error) {
    limit.end();
    call.signal?.throwIfAborted();
    throw asKnownError(call, error);
  }
}
