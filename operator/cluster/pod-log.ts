import { asKnownError } from "./attempts.ts";
import type { Call } from "./call.ts";
import { objectAt } from "./paths.ts";
import { PODS } from "./resources.ts";
import type { Transport } from "./transport.ts";

export interface LogOptions {
  readonly container: string;
  /** Goes on until the container ends. */
  readonly follow: boolean;
  /** Only so many of the last lines. */
  readonly tailLines?: number | undefined;
  /** Only lines since then, RFC 3339. The kubelet hears whole seconds. */
  readonly sinceTime?: string | undefined;
  /** Each line begins with its moment, RFC 3339 with nanoseconds, and a blank. */
  readonly timestamps?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** Line by line. Throws `ApiError`: 404 when there is no such pod, 400 while the container has not started. */
export type PodLog = (namespace: string, pod: string, options: LogOptions) => AsyncGenerator<string>;

export function createPodLog(transport: Transport): PodLog {
  return async function* podLog(namespace, pod, { signal, container, follow, tailLines, sinceTime, timestamps }) {
    const call: Call = {
      verb: "get",
      method: "GET",
      path: objectAt(PODS, namespace, pod, "log"),
      query: { container, follow, tailLines, sinceTime, timestamps },
      resource: "pods/log",
      idempotent: true,
      secret: false,
      signal,
    };
    const body = await transport.stream(call);
    try {
      yield* wholeLines(body);
    } catch (error) {
      signal.throwIfAborted();
      throw asKnownError(call, error);
    }
  };
}

/** Unlike a watch's, a log's last line counts even when nothing ends it. */
async function* wholeLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
