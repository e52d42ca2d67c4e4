import assert from "node:assert/strict";
import { type HealthParts, type HealthServers, startHealthServers } from "../../../operator/telemetry/health.ts";
import { createHeartbeat } from "../../../operator/telemetry/heartbeat.ts";
import { fakeClock } from "../loop/fake-clock.ts";

describe("startHealthServers", () => {
  const open: HealthServers[] = [];
  const start = async (parts: Partial<HealthParts> = {}) => {
    const servers = await startHealthServers({
      host: "127.0.0.1",
      healthPort: 0,
      metricsPort: 0,
      alive: [],
      ready: [],
      metrics: async () => ({ contentType: "text/plain; version=0.0.4", body: "a_series 1\n" }),
      ...parts,
    });
    open.push(servers);
    return servers;
  };
  const get = async (port: number, path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, body: await response.text(), type: response.headers.get("content-type") };
  };
  afterEach(async () => void (await Promise.all(open.splice(0).map((servers) => servers.close()))));

  it("is ready when every check is fine, and says which is not until then", async () => {
    let trouble: string | undefined = "waiting for environments, runs";
    const { healthPort } = await start({
      ready: [
        { name: "gateway", trouble: () => undefined },
        { name: "caches", trouble: () => trouble },
      ],
    });
    const before = await get(healthPort, "/readyz");
    assert.equal(before.status, 503);
    assert.equal(before.body, "[+] gateway ok\n[-] caches: waiting for environments, runs\nnot ok\n");
    trouble = undefined;
    assert.equal((await get(healthPort, "/readyz?verbose")).status, 200);
  });

  it("is alive as long as nothing needs a new process, ready or not", async () => {
    const clock = fakeClock();
    const heartbeat = createHeartbeat("reflectors", clock, 300_000);
    const { healthPort } = await start({
      alive: [heartbeat.check],
      ready: [{ name: "caches", trouble: () => "not yet" }],
    });
    assert.equal((await get(healthPort, "/healthz")).status, 200);
    clock.freeze(300_001);
    assert.deepEqual(await get(healthPort, "/healthz"), {
      status: 503,
      body: "[-] reflectors: silent for 300 s\nnot ok\n",
      type: "text/plain; charset=utf-8",
    });
    heartbeat.beat();
    assert.equal((await get(healthPort, "/healthz")).status, 200);
  });

  it("serves metrics on a port of their own", async () => {
    const { healthPort, metricsPort } = await start();
    assert.deepEqual(await get(metricsPort, "/metrics"), {
      status: 200,
      body: "a_series 1\n",
      type: "text/plain; version=0.0.4",
    });
    assert.equal((await get(healthPort, "/metrics")).status, 404);
    assert.equal((await get(metricsPort, "/healthz")).status, 404);
  });

  it("says so when the metrics cannot be read", async () => {
    const { metricsPort } = await start({ metrics: () => Promise.reject(new Error("broken gauge")) });
    assert.deepEqual((await get(metricsPort, "/metrics")).status, 500);
  });

  it("fails to start on a port that is taken", async () => {
    const { metricsPort } = await start();
    await assert.rejects(start({ metricsPort }), { code: "EADDRINUSE" });
  });
});
