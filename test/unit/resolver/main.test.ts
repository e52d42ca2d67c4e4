import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { readConfig } from "../../../operator/resolver/config.ts";

const program = fileURLToPath(new URL("../../../operator/resolver/main.ts", import.meta.url));

describe("the resolver's settings", () => {
  it("have sensible values where nothing is said", () => {
    assert.deepEqual(readConfig({}), {
      host: "0.0.0.0",
      port: 8080,
      healthPort: 8081,
      metricsPort: 9090,
      allowRanges: [],
      denyRanges: [],
      tokenFile: undefined,
      logLevel: "info",
    });
  });

  it("take ranges separated by commas", () => {
    const config = readConfig({
      TERRARIUM_RESOLVER_ALLOW_CIDRS: "10.96.0.0/16, fd00::/8",
      TERRARIUM_RESOLVER_PORT: "1",
    });
    assert.deepEqual(config.allowRanges, ["10.96.0.0/16", "fd00::/8"]);
    assert.equal(config.port, 1);
  });

  for (const [name, value] of [
    ["TERRARIUM_RESOLVER_PORT", "http"],
    ["TERRARIUM_LOG_LEVEL", "loud"],
    ["TERRARIUM_RESOLVER_DENY_CIDRS", "10.0.0.0"],
  ] as const) {
    it(`name ${name} when it cannot be used`, () => {
      assert.throws(() => readConfig({ [name]: value }), new RegExp(name));
    });
  }
});

describe("the resolver's process", () => {
  it("listens, answers probes, and ends well when it is asked to", async () => {
    const child = spawn(process.execPath, [program], {
      env: {
        TERRARIUM_RESOLVER_HOST: "127.0.0.1",
        TERRARIUM_RESOLVER_PORT: "0",
        TERRARIUM_HEALTH_PORT: "0",
        TERRARIUM_METRICS_PORT: "0",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(child, "close");
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { message, port, healthPort, metricsPort } = JSON.parse(line.toString());
    assert.equal(message, "listening");
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status, 200);
    assert.match(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(), /terrarium_git_lookup/);
    child.kill("SIGTERM");
    assert.deepEqual(await closed, [0, null]);
  });

  it("says which setting is wrong, and ends", async () => {
    const child = spawn(process.execPath, [program], {
      env: { TERRARIUM_RESOLVER_PORT: "x" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const said: Buffer[] = [];
    child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
    assert.deepEqual(await once(child, "close"), [1, null]);
    assert.match(Buffer.concat(said).toString(), /TERRARIUM_RESOLVER_PORT/);
  });
});
