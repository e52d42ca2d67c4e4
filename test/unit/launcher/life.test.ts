import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { EngineHeld, EngineLost } from "../../../runner/engine-client.ts";
import { sayFarewell } from "../../../runner/farewell.ts";
import { collector, patientEngine, startPod, type TestPod, type TestPodOptions } from "./pod.ts";

/** It looks four times a second whether it is forgotten. */
const severalLooks = () => pause(750);

const waitsForGo = `
  const fs = require("node:fs");
  console.log("started");
  while (!fs.existsSync("go")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  fs.writeFileSync("done", "");`;

describe("the launcher's life", () => {
  let pod: TestPod;
  const start = (options: TestPodOptions) => {
    pod = startPod(options);
    return pod;
  };
  afterEach(() => pod.remove());

  it("forwards its own SIGTERM once, reports the end and starts nothing more", async () => {
    start({ engine: { script: patientEngine } });
    const agent = await pod.agent();
    const seen = collector();
    const told = new Promise<void>((resolve) => agent.onTerminating(resolve));
    const running = agent.run(pod.command("apply"), seen.onLine);
    await seen.seen("started");
    agent.signal("apply", "SIGTERM");
    pod.launcher.kill("SIGTERM");
    pod.launcher.kill("SIGTERM");
    await told;
    agent.signal("apply", "SIGTERM");
    assert.deepEqual([(await running).code, seen.texts()], [1, ["started", "signal 1"]]);
    assert.match((await agent.run(pod.command("more"), () => {})).startError ?? "", /being ended/);
    await agent.finish({ acknowledgeErroredState: false, exitCode: 7 });
    assert.equal(await pod.ended, 7);
  });

  it("does not end while an errored state is not acknowledged, not even on SIGTERM", async () => {
    start({
      engine: { script: `require("node:fs").writeFileSync("errored.tfstate", "{}"); process.exit(1)` },
      source: { "a/b": "" },
    });
    const agent = await pod.agent();
    await agent.prepare("tree");
    await agent.run(pod.command("apply", { cwd: join(pod.work, "a") }), () => {});
    await assert.rejects(agent.finish({ acknowledgeErroredState: false, exitCode: 0 }), EngineHeld);
    pod.launcher.kill("SIGTERM");
    agent.close();
    const again = await pod.agent();
    assert.equal(again.terminating, true);
    assert.equal(pod.launcher.exitCode, null);
    assert.equal(statSync(join(pod.work, "a/errored.tfstate")).mode & 0o040, 0o040, "the agent's group can read it");
    await again.finish({ acknowledgeErroredState: true, exitCode: 3 });
    assert.equal(await pod.ended, 3);
  });

  it("goes on without its agent, and tells the next one everything that matters", async () => {
    const script = `
      const fs = require("node:fs");
      const event = (type, n) => fs.writeSync(1, JSON.stringify({ type, hook: { n } }) + "\\n");
      event("apply_start", 0);
      while (!fs.existsSync("go")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      for (let n = 1; n <= 3000; n++) { event("apply_complete", n); fs.writeSync(1, "noise " + "x".repeat(2000) + "\\n"); }
      fs.writeFileSync("done", "");`;
    start({ engine: { script } });
    const first = await pod.agent();
    const seen = collector();
    void first.run(pod.command("apply"), seen.onLine).catch(() => {});
    await seen.seen("apply_start");
    first.close();
    writeFileSync(join(pod.work, "go"), "");
    while (!existsSync(join(pod.work, "done"))) await new Promise((resolve) => setTimeout(resolve, 20));

    const second = await pod.agent();
    const later = collector();
    const exit = await second.run(pod.command("apply", { args: ["must not run again"] }), later.onLine);
    assert.equal(exit.code, 0);
    const complete = later.texts().filter((text) => text.includes("apply_complete"));
    assert.deepEqual(
      complete.map((text) => JSON.parse(text).hook.n),
      Array.from({ length: 3000 }, (_, at) => at + 1),
    );
    const dropped = later.lines.reduce((sum, line) => sum + line.dropped, 0);
    const noise = later.texts().filter((text) => text.startsWith("noise")).length;
    assert.ok(noise < 3000 && noise + dropped <= 3000 && dropped > 1000, `${noise} kept, ${dropped} dropped`);
  });

  it("answers for a command that ended while the agent was away, and runs it once", async () => {
    start({ engine: { script: `require("node:fs").appendFileSync("runs", "x"); process.exit(4)` } });
    const first = await pod.agent();
    assert.equal((await first.run(pod.command("apply"), () => {})).code, 4);
    first.close();
    const second = await pod.agent();
    assert.deepEqual(second.hello?.finished, ["apply"]);
    assert.equal((await second.run(pod.command("apply"), () => {})).code, 4);
    assert.equal(readFileSync(join(pod.work, "runs"), "utf8"), "x");
  });

  it("drops an agent that does not speak the protocol, and serves the next", async () => {
    start({ engine: { script: "" } });
    const agent = await pod.agent();
    agent.close();
    const next = await pod.agent();
    const stranger = createConnection(pod.socket);
    await new Promise((resolve) => stranger.once("close", resolve));
    assert.equal((await next.run(pod.command("one"), () => {})).code, 0);
  });

  it("ends by itself when agent and work are gone for good", async () => {
    start({ engine: { script: "" }, env: { TERRARIUM_IDLE_MS: "300" } });
    (await pod.agent()).close();
    assert.equal(await pod.ended, 1);
    assert.match(pod.stderr(), /agent is away/);
  });

  it("does not wait for an agent that has said that it will not come again", async () => {
    start({ engine: { script: "" } });
    (await pod.agent()).close();
    sayFarewell(pod.socket);
    assert.equal(await pod.ended, 1);
    assert.match(pod.stderr(), /will not come again/);
  });

  it("does not wait for an agent that had gone before it was reached", async () => {
    start({ engine: { script: "" } });
    sayFarewell(pod.socket);
    assert.equal(await pod.ended, 1);
    assert.match(pod.stderr(), /will not come again/);
  });

  it("waits for an agent that has begun again, whatever the one before it has said", async () => {
    start({ engine: { script: "" } });
    sayFarewell(pod.socket);
    const again = await pod.agent();
    again.close();
    await severalLooks();
    assert.equal(pod.launcher.exitCode, null);
  });

  it("hears no farewell while an agent is there", async () => {
    start({ engine: { script: "" } });
    const agent = await pod.agent();
    sayFarewell(pod.socket);
    pod.launcher.kill("SIGTERM");
    await severalLooks();
    await agent.finish({ acknowledgeErroredState: false, exitCode: 7 });
    assert.equal(await pod.ended, 7);
  });

  it("lets a command end although its agent will not come again", async () => {
    start({ engine: { script: waitsForGo } });
    const agent = await pod.agent();
    const seen = collector();
    void agent.run(pod.command("apply"), seen.onLine).catch(() => {});
    await seen.seen("started");
    agent.close();
    sayFarewell(pod.socket);
    await severalLooks();
    assert.equal(pod.launcher.exitCode, null);
    writeFileSync(join(pod.work, "go"), "");
    assert.equal(await pod.ended, 1);
    assert.ok(existsSync(join(pod.work, "done")));
  });

  it("keeps the only copy of a state although its agent will not come again", async () => {
    start({ engine: { script: `require("node:fs").writeFileSync("errored.tfstate", "{}")` } });
    const agent = await pod.agent();
    await agent.run(pod.command("apply"), () => {});
    agent.close();
    sayFarewell(pod.socket);
    await severalLooks();
    assert.equal(pod.launcher.exitCode, null);
    rmSync(join(pod.work, "errored.tfstate"));
    assert.equal(await pod.ended, 1);
  });

  it("says that no agent ever came", async () => {
    start({ engine: { script: "" }, env: { TERRARIUM_CONNECT_MS: "200" } });
    assert.equal(await pod.ended, 1);
    assert.match(pod.stderr(), /no agent at/);
  });

  it("that dies is noticed by the agent", async () => {
    start({ engine: { script: "setInterval(() => {}, 1000); console.log('started')" }, isolated: true });
    const agent = await pod.agent({ lostAfterMs: 200 });
    const seen = collector();
    const running = agent.run(pod.command("one"), seen.onLine);
    await seen.seen("started");
    pod.launcher.kill("SIGKILL");
    await assert.rejects(running, EngineLost);
    await assert.rejects(agent.prepare("tree"), EngineLost);
  });

  it("prints nothing of the engine's output", async () => {
    start({ engine: { script: `console.log("canary"); console.error("canary")` } });
    const agent = await pod.agent();
    await agent.run(pod.command("one"), () => {});
    await agent.finish({ acknowledgeErroredState: false, exitCode: 0 });
    assert.equal(await pod.ended, 0);
    assert.equal(pod.stderr(), "");
  });

  it("as process 1, leaves no process of one phase for the next", async () => {
    const script = `
      const { spawn } = require("node:child_process");
      if (process.argv[2] === "plan") {
        const code = "setInterval(() => require('node:fs').appendFileSync('alive', 'x'), 10); process.on('SIGTERM', () => {})";
        spawn(process.execPath, ["-e", code], { detached: true, stdio: "inherit" }).unref();
        const { existsSync, writeFileSync } = require("node:fs");
        setInterval(() => {
          if (!existsSync("alive")) return;
          writeFileSync("ended", "");
          process.exit(0);
        }, 10);
      } else console.log(require("node:fs").readdirSync("/proc").filter((name) => /^\\d+$/.test(name)
        && !/^\\d+ \\(.*\\) Z/.test(require("node:fs").readFileSync("/proc/" + name + "/stat", "utf8"))).length);`;
    start({ engine: { script }, isolated: true });
    const agent = await pod.agent();
    assert.equal((await agent.run(pod.command("plan", { args: ["plan"] }), () => {})).code, 0);
    const endedMs = statSync(join(pod.work, "ended")).mtimeMs;
    assert.ok(Date.now() - endedMs < 1900, "an open pipe of a stranger holds nothing up");
    rmSync(join(pod.work, "alive"));
    const seen = collector();
    await agent.run(pod.command("apply", { args: ["apply"] }), seen.onLine);
    assert.deepEqual(seen.texts(), ["2"]);
    assert.equal(existsSync(join(pod.work, "alive")), false);
  });
  it("as process 1, opens no inspector for the engine's code, which may send it any signal", async () => {
    const script = `
      const { readdirSync, readFileSync, readlinkSync } = require("node:fs");
      const listening = () => readFileSync("/proc/net/tcp", "utf8").split("\\n").map((line) => line.trim().split(/\\s+/))
        .filter((row) => row[3] === "0A").map((row) => "socket:[" + row[9] + "]");
      const opened = () => readdirSync("/proc/1/fd").map((fd) => { try { return readlinkSync("/proc/1/fd/" + fd); } catch { return ""; } });
      process.kill(1, "SIGUSR1");
      const end = Date.now() + 1500;
      const look = () => {
        const all = listening();
        const found = opened().filter((file) => all.includes(file)).length;
        if (found === 0 && Date.now() < end) setTimeout(look, 20);
        else console.log("ports of process 1: " + found);
      };
      look();`;
    // Any free port, so that nothing else of this machine is in the way of the inspector.
    start({ engine: { script }, isolated: true, env: { NODE_OPTIONS: "--inspect-port=0" } });
    const agent = await pod.agent();
    const seen = collector();
    await agent.run(pod.command("plan"), seen.onLine);
    assert.deepEqual(seen.texts(), ["ports of process 1: 0"]);
    assert.equal(pod.stderr(), "");
    await agent.finish({ acknowledgeErroredState: false, exitCode: 0 });
  });
});
