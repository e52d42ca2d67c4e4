/** The four requests of the engines' own http backend, on the pod's loopback. They are never answered with a 5xx. */
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { lockInfo } from "../../operator/gateway/protocol.ts";
import { GatewayRefused } from "./gateway-client.ts";
import type { Settled, StateRelay } from "./state-relay.ts";

export interface StateServerOptions {
  readonly relay: StateRelay;
  /** Was the engine told to apply? Whatever comes before that is no state of an apply, whoever sends it. */
  readonly isApplying: () => Promise<boolean>;
  readonly port: number;
  /** In the environment of the engine: whatever that starts knows it, too. */
  readonly username: string;
  readonly password: string;
}

export interface StateServer {
  readonly port: number;
  close(): Promise<void>;
}

const maxStateBytes = 512 * 1024 * 1024;

interface Reply {
  readonly status: number;
  readonly body?: Buffer | string;
}

/** It is not even spooled: a state that is only in a pod keeps that pod. */
const NOT_APPLYING: Reply = { status: 409, body: "nothing is applied here, so there is no state to store" };

export async function startStateServer(options: StateServerOptions): Promise<StateServer> {
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    answer(options, request, gone.signal)
      .catch((error: unknown) => refusalReply(error))
      .then((reply) => send(response, reply));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

async function answer(options: StateServerOptions, request: IncomingMessage, gone: AbortSignal): Promise<Reply> {
  if (!isAuthorised(options, request)) return { status: 401 };
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (url.pathname !== "/state") return { status: 404 };
  const body = await bodyOf(request);
  switch (request.method) {
    case "GET": {
      const state = await options.relay.read(gone);
      return state === undefined ? { status: 204 } : { status: 200, body: state };
    }
    case "POST":
      if (!(await options.isApplying())) return NOT_APPLYING;
      return settledReply(await options.relay.write(url.searchParams.get("ID") ?? "", body));
    case "LOCK": {
      const lock = await options.relay.lock(lockInfo.parse(JSON.parse(body.toString("utf8"))), gone);
      return lock.held ? { status: 200 } : { status: 423, body: lock.holder };
    }
    case "UNLOCK":
      return settledReply(await options.relay.unlock(lockInfo.parse(JSON.parse(body.toString("utf8"))).ID));
    default:
      return { status: 405 };
  }
}

function settledReply(settled: Settled): Reply {
  return settled.end === "refused" ? refusalReply(settled.why) : { status: 200 };
}

/** Whatever it is, it is no 5xx: the engine would repeat for minutes what nobody will ever accept. */
function refusalReply(error: unknown): Reply {
  if (error instanceof GatewayRefused)
    return { status: error.status === 423 ? 409 : error.status, body: error.message };
  return { status: 400, body: error instanceof Error ? error.message : String(error) };
}

function send(response: ServerResponse, { status, body }: Reply): void {
  if (response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body);
}

function isAuthorised({ username, password }: StateServerOptions, request: IncomingMessage): boolean {
  const expected = Buffer.from(`Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`);
  const given = Buffer.from(request.headers.authorization ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxStateBytes) throw new Error(`the state is larger than ${maxStateBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
