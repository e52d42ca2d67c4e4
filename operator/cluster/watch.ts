import { asKnownError } from "./attempts.ts";
import type { Call } from "./call.ts";
import type { KubeObject, Stored, WatchEvent } from "./ports.ts";
import { errorFromStatus } from "./refusal.ts";

interface RawEvent {
  readonly type: string;
  readonly object: Stored<KubeObject> & { readonly code?: number };
}

/**
 * The events of one watch. Ends when the server ends it, which it does after `timeoutSeconds`. Throws `ApiError` for an ERROR event (410: the
 * version expired) and `ApiUnreachable` when the connection breaks.
 */
export async function* watchEvents<T extends KubeObject>(
  call: Call,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEvent<T>> {
  try {
    for await (const line of lines(body)) yield toEvent<T>(call, JSON.parse(line));
  } catch (error) {
    call.signal?.throwIfAborted();
    throw asKnownError(call, error);
  }
}

function toEvent<T extends KubeObject>(call: Call, event: RawEvent): WatchEvent<T> {
  switch (event.type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
      return { type: event.type, object: event.object as Stored<T> };
    case "BOOKMARK":
      return { type: "BOOKMARK", resourceVersion: event.object.metadata.resourceVersion };
    case "ERROR":
      throw errorFromStatus(call, event.object.code ?? 500, { ...event.object });
    default:
      throw new Error(`unknown watch event "${event.type}"`);
  }
}

/** Splits at newlines. Pieces of a long line are joined once, when its end is there; a last line without an end was cut off and is dropped. */
export async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  for await (const chunk of body) {
    const parts = decoder.decode(chunk, { stream: true }).split("\n");
    for (const part of parts.slice(0, -1)) {
      const line = pieces.join("") + part;
      pieces = [];
      if (line !== "") yield line;
    }
    const rest = parts.at(-1) ?? "";
    if (rest !== "") pieces.push(rest);
  }
}
