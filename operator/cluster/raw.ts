import type { Call } from "./call.ts";
import type { Transport } from "./transport.ts";

export interface RawOptions {
  readonly query?: NonNullable<Call["query"]>;
  readonly signal?: AbortSignal;
}

/** Contents that are passed on byte for byte: the client's JSON would round long numbers. */
export interface Raw {
  /** Throws `ApiError`, `ApiUnreachable`. */
  read(path: string, options?: RawOptions): Promise<Buffer>;
  /** The server's answer, which is JSON. */
  send(method: "PUT" | "POST", path: string, text: string, options?: RawOptions): Promise<unknown>;
}

/** Contents may be hundreds of megabytes. */
const DEADLINE_MS = 300_000;

export function createRaw(transport: Transport): Raw {
  return {
    async read(path, options = {}) {
      const call = { verb: "get", method: "GET", path, resource: "", idempotent: true, secret: false } as const;
      const chunks: Uint8Array[] = [];
      for await (const chunk of await transport.stream({ ...call, ...options })) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    send: (method, path, text, options = {}) =>
      transport.call({
        verb: method === "PUT" ? "update" : "create",
        method,
        path,
        text,
        resource: "",
        idempotent: false,
        secret: false,
        deadlineMs: DEADLINE_MS,
        ...options,
      }),
  };
}
