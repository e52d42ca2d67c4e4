import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { addressRules } from "../../../operator/resolver/address-rules.ts";
import { openEgress } from "../../../operator/resolver/egress.ts";

const rules = addressRules(["127.0.0.0/8"], []);

describe("The way out of a question", () => {
  let server: Server;
  let reached: number;
  beforeEach(async () => {
    reached = 0;
    server = createServer((socket) => {
      reached += 1;
      socket.on("error", () => {}).on("data", () => socket.write("hello"));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  afterEach(() => server.close());

  /** What git does first: it asks the proxy for a tunnel. */
  async function askFor(proxy: string) {
    const client = connect({ host: "127.0.0.1", port: Number(new URL(proxy).port) });
    client.on("error", () => {});
    await once(client, "connect");
    client.write(
      `CONNECT slow.example:${(server.address() as AddressInfo).port} HTTP/1.1\r\nhost: slow.example\r\n\r\n`,
    );
    return client;
  }

  it("leads to the server, and ends with the question", async () => {
    const egress = await openEgress(rules, async () => ["127.0.0.1"]);
    const client = await askFor(egress.proxy);
    const [answer] = await once(client, "data");
    assert.match(String(answer), / 200 /);
    assert.equal(reached, 1);
    egress.close();
    await once(client, "close");
  });

  it("leads nowhere any more when a name gets its address after the question has ended", async () => {
    const [asked, addresses] = [Promise.withResolvers<void>(), Promise.withResolvers<readonly string[]>()];
    const egress = await openEgress(rules, () => {
      asked.resolve();
      return addresses.promise;
    });
    await askFor(egress.proxy);
    await asked.promise;
    egress.close();
    addresses.resolve(["127.0.0.1"]);
    await delay(100);
    assert.equal(reached, 0);
  });
});
