import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { freePort } from "../../../tools/free-port.ts";

describe("a port for a server that is started later", () => {
  it("is none that an outgoing connection may take meanwhile", async () => {
    const [firstOutgoing = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/).map(Number);
    assert.ok((await freePort()) < firstOutgoing);
  });

  it("is not handed out twice, not even when several ask at once", async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
    assert.equal(new Set(ports).size, ports.length);
  });

  it("is none that somebody listens to", async () => {
    const taken = (await freePort()) + 1;
    const server = createServer().listen(taken, "127.0.0.1");
    await once(server, "listening");
    try {
      assert.notEqual(await freePort(), taken);
    } finally {
      server.close();
    }
  });
});
