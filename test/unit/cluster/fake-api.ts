import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";
import type { Connection } from "../../../operator/cluster/connection.ts";
import { createTransport, type TransportOptions } from "../../../operator/cluster/transport.ts";
import { systemClock } from "../../../operator/loop/clock.ts";

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly response: ServerResponse;
  /** Answers with JSON. */
  reply(status: number, body: unknown, headers?: Record<string, string>): void;
  /** Answers with a `Status` of that reason. */
  refuse(status: number, reason: string, headers?: Record<string, string>): void;
  /** Cuts the TCP connection with a reset. */
  reset(): void;
}

export interface FakeApi {
  readonly connection: Connection;
  readonly exchanges: Exchange[];
  close(): Promise<void>;
}

/** An HTTP server which says what a test tells it to. */
export async function fakeApi(answer: (exchange: Exchange, count: number) => void): Promise<FakeApi> {
  const exchanges: Exchange[] = [];
  const server = createServer(async (request, response) => {
    const exchange = await toExchange(request, response);
    exchanges.push(exchange);
    answer(exchange, exchanges.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const dispatcher = new Agent({ allowH2: false });
  return {
    exchanges,
    connection: {
      origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      pathPrefix: "",
      dispatcher,
      headers: async (refresh) => ({ authorization: refresh ? "Bearer fresh" : "Bearer first" }),
      close: () => dispatcher.destroy(),
    },
    async close() {
      await dispatcher.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const transportTo = (api: FakeApi, options: Partial<TransportOptions> = {}) =>
  createTransport({ connection: api.connection, clock: systemClock, random: () => 0, ...options });

async function toExchange(request: IncomingMessage, response: ServerResponse): Promise<Exchange> {
  const url = new URL(request.url ?? "/", "http://fake");
  let body = "";
  for await (const chunk of request) body += chunk;
  const reply: Exchange["reply"] = (status, answer, headers = {}) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(answer));
  };
  return {
    method: request.method ?? "",
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body,
    response,
    reply,
    refuse: (status, reason, headers) =>
      reply(
        status,
        { kind: "Status", status: "Failure", reason, code: status, message: `refused: ${reason}` },
        headers,
      ),
    reset: () => void request.socket.resetAndDestroy(),
  };
}
