import assert from "node:assert/strict";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { connect } from "node:tls";
import fastify, { type FastifyInstance } from "fastify";
import { Agent, request } from "undici";
import { renewed } from "../../../operator/gateway/authority.ts";
import { endConnectionsOnClose } from "../../../operator/gateway/closing.ts";
import { gatewayWorld } from "./gateway-world.ts";

const LONG_MS = 120_000;
const BYTES = 8 * 1024 * 1024;

describe("a server that closes", () => {
  it("does not wait for connections that have never said a word", async function () {
    this.timeout(20_000);
    const world = await gatewayWorld({ limits: { strangerMs: LONG_MS } });
    const { hostname, port } = new URL(world.gateway.url);
    const silent = connect({ host: hostname, port: Number(port), ca: world.gateway.caPem() });
    silent.on("error", () => {}).resume();
    await once(silent, "secureConnect");
    const gone = once(silent, "close");
    await world.close();
    await gone;
  });

  for (const kind of ["plain", "TLS"] as const) {
    it(`answers what is under way, to the last byte (${kind})`, async function () {
      this.timeout(20_000);
      const { certificate: cert, key } = renewed(undefined, ["localhost"], new Date()).server;
      const options = { return503OnClosing: true, forceCloseConnections: "idle" } as const;
      const server = (
        kind === "plain" ? fastify(options) : fastify({ ...options, https: { key, cert } })
      ) as FastifyInstance;
      endConnectionsOnClose(server);
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<Buffer>();
      server.get("/", () => {
        asked.resolve();
        return answer.promise;
      });
      const url = await server.listen({ host: "127.0.0.1", port: 0 });
      const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
      const answered = request(url, { dispatcher });
      await asked.promise;
      const closed = server.close();
      while (server.server.listening) await setImmediate();
      answer.resolve(Buffer.alloc(BYTES, "x"));
      assert.equal((await (await answered).body.arrayBuffer()).byteLength, BYTES);
      await closed;
      await dispatcher.close();
    });
  }
});
