import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { FastifyInstance } from "fastify";

/**
 * A server that closes answers what is under way and then ends every connection. Node itself waits for those that have not sent a request yet, up
 * to a minute: clients written in Go, such as the API server, open some in advance. Handshakes have a time limit of their own.
 */
export function endConnectionsOnClose(server: FastifyInstance): void {
  const connections = new Set<Socket>();
  let underWay = 0;
  let closing = false;
  const endAll = (): void => {
    if (!closing || underWay > 0) return;
    // What was answered leaves first, to its last byte.
    for (const connection of connections) connection.destroySoon();
  };
  server.server.on(server.server instanceof TlsServer ? "secureConnection" : "connection", (connection: Socket) => {
    connections.add(connection);
    connection.once("close", () => connections.delete(connection));
    endAll();
  });
  server.addHook("onRequest", async (_request, reply) => {
    underWay += 1;
    reply.raw.once("close", () => {
      underWay -= 1;
      endAll();
    });
  });
  server.addHook("preClose", async () => {
    closing = true;
    endAll();
  });
}
