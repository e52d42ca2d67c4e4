import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { EngineHeld, EngineLost } from "../../../runner/engine-client.ts";
import { collector, startPod, type TestPod, type TestPodOptions } from "./pod.ts";

/** Waits for SIGTERM and then saves its state, as an engine does. */
const patient = `
const fs = require("node:fs");
let signals = 0;
process.on("SIGTERM", () => {
  signals++;
  console.log("signal " + signals);
  if (signals === 1) setTimeout(() => { fs.writeFileSync("saved", String(signals)); process.exit(1); }, 200);
});
console.log("started");
setInterval(() => {}, 1000);
`;

describe("the launcher", () => {
  let pod: TestPod;
  const start = (options: TestPodOptions) => {
    pod = startPod(options);
    return pod;
  };
  afterEach(() => pod.remove());

  it("runs the engine without a shell, with the environment of the agent and nothing that steers it", async () => {
    start({
      engine: { script: "console.log(JSON.stringify([process.argv.slice(2), process.env]))" },
      env: { AWS_REGION: "eu-1", TF_CLI_ARGS: "-destroy", TF_LOG: "trace" },
    });
    const agent = await pod.agent();
    assert.deepEqual(agent.hello?.droppedVariables, ["TF_CLI_ARGS", "TF_LOG"]);
    const seen = collector();
    const args = ["plan", "$(id)", "a b", "-o;x", "\n"];
    const exit = await agent.run(
      pod.command("one", { args, env: { TF_HTTP_ADDRESS: "http://127.0.0.1:1/state" } }),
      seen.onLine,
    );
    assert.equal(exit.code, 0);
    const [given, env] = JSON.parse(seen.texts()[0] ?? "");
    assert.deepEqual(given, args);
    assert.deepEqual(env, { AWS_REGION: "eu-1", TF_HTTP_ADDRESS: "http://127.0.0.1:1/state" });
  });

  it("takes variables from mounted credentials, and drops what steers the engine", async () => {
    start({
      engine: { script: "console.log(JSON.stringify([process.env.AWS_TOKEN, process.env.LD_AUDIT]))" },
      credentials: { "aws/AWS_TOKEN": "a\nb", "aws/LD_AUDIT": "/evil.so", "aws/..data": "" },
    });
    const agent = await pod.agent();
    assert.deepEqual(agent.hello?.droppedVariables, ["LD_AUDIT"]);
    const seen = collector();
    await agent.run(pod.command("one"), seen.onLine);
    assert.deepEqual(JSON.parse(seen.texts()[0] ?? ""), ["a\nb", null]);
  });

  it("lays out source and overlay", async () => {
    start({ engine: { script: "" }, source: { "live/db/main.tf": "a", "shared.tf": "old" } });
    symlinkSync("../../shared.tf", join(pod.root, "in/source/live/db/link.tf"));
    mkdirSync(join(pod.root, "in/overlay/live/db"), { recursive: true });
    writeFileSync(join(pod.root, "in/overlay/live/db/link.tf"), "ours");
    writeFileSync(join(pod.work, "leftover"), "");
    const agent = await pod.agent();
    const tree = await agent.prepare("tree");
    assert.deepEqual([tree.refused, tree.files], [undefined, 4]);
    assert.equal(readFileSync(join(pod.work, "live/db/link.tf"), "utf8"), "ours");
    assert.equal(readFileSync(join(pod.work, "shared.tf"), "utf8"), "old");
    assert.equal(existsSync(join(pod.work, "leftover")), false);
  });

  it("refuses links that lead out, also by a detour", async () => {
    start({ engine: { script: "" }, source: { "d1/d2/main.tf": "" } });
    symlinkSync("../..", join(pod.root, "in/source/d1/d2/up"));
    symlinkSync("d1/d2/up/../..", join(pod.root, "in/source/out"));
    const agent = await pod.agent();
    assert.match((await agent.prepare("tree")).refused ?? "", /"out" leads out of the source/);
    const exit = await agent.run(pod.command("one", { cwd: "/tmp" }), () => {});
    assert.match(exit.startError ?? "", /leads out/);
  });

  it("passes lines on whole, whatever their length, and both streams", async () => {
    start({
      engine: { script: `process.stdout.write("é".repeat(300000) + "\\nlast"); process.stderr.write("warn\\r\\n")` },
    });
    const agent = await pod.agent();
    const seen = collector();
    await agent.run(pod.command("one"), seen.onLine);
    const out = seen.lines.filter(({ stream }) => stream === "stdout");
    assert.equal(out[0]?.text, "é".repeat(300000));
    assert.equal(out[1]?.text, "last");
    assert.deepEqual(
      seen.lines.filter(({ stream }) => stream === "stderr").map(({ text }) => text),
      ["warn"],
    );
  });

  it("sends stdout to a file when asked, never through a link", async () => {
    start({ engine: { script: `console.log("x".repeat(100))` } });
    writeFileSync(join(pod.root, "victim"), "safe");
    symlinkSync("../victim", join(pod.out, "plan.json"));
    const agent = await pod.agent();
    const exit = await agent.run(pod.command("one", { stdoutFile: "plan.json" }), () => assert.fail("a line"));
    assert.equal(exit.code, 0);
    assert.equal(readFileSync(join(pod.out, "plan.json"), "utf8").length, 101);
    assert.equal(readFileSync(join(pod.root, "victim"), "utf8"), "safe");
  });

  it("holds the engine back while the agent is slow, and loses nothing", async () => {
    start({
      engine: {
        script: `for (let i = 0; i < 20000; i++) require("node:fs").writeSync(1, i + " " + "x".repeat(500) + "\\n")`,
      },
    });
    const agent = await pod.agent();
    let count = 0;
    let largest = 0;
    const exit = await agent.run(pod.command("one"), async ({ text }) => {
      assert.equal(Number.parseInt(text, 10), count++);
      if (count % 2000 !== 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
      largest = Math.max(largest, residentBytes(pod.launcher.pid));
    });
    assert.deepEqual([exit.code, count], [0, 20000]);
    assert.ok(largest < 200e6, `the launcher holds ${largest} bytes`);
  });

  it("says that the engine cannot be started", async () => {
    start({ engine: "/nonexistent/tofu" });
    const agent = await pod.agent();
    const exit = await agent.run(pod.command("one"), () => {});
    assert.equal(exit.code, null);
    assert.match(exit.startError ?? "", /ENOENT/);
  });

  it("ends a command at its deadline with one SIGTERM, and lets it save", async () => {
    start({ engine: { script: patient } });
    const agent = await pod.agent();
    const seen = collector();
    const exit = await agent.run(pod.command("one", { timeoutMs: 700 }), seen.onLine);
    assert.deepEqual([exit.timedOut, exit.code], [true, 1]);
    assert.deepEqual(seen.texts(), ["started", "signal 1"]);
    assert.equal(readFileSync(join(pod.work, "saved"), "utf8"), "1");
  });

  it("kills a command that does not end within its grace", async () => {
    start({
      engine: { script: `process.on("SIGTERM", () => {}); console.log("started"); setInterval(() => {}, 1000)` },
    });
    const agent = await pod.agent();
    const exit = await agent.run(pod.command("one", { timeoutMs: 500, graceMs: 200 }), () => {});
    assert.deepEqual([exit.timedOut, exit.signal], [true, "SIGKILL"]);
  });

  it("forwards its own SIGTERM once, reports the end and starts nothing more", async () => {
    start({ engine: { script: patient } });
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

  it("says that no agent ever came", async () => {
    start({ engine: { script: "" }, env: { TERRARIUM_CONNECT_MS: "200" } });
    assert.equal(await pod.ended, 1);
    assert.match(pod.stderr(), /no agent at/);
  });

  it("that dies is noticed by the agent", async () => {
    start({ engine: { script: "setInterval(() => {}, 1000); console.log('started')" } });
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
        setTimeout(() => process.exit(0), 300);
      } else console.log(require("node:fs").readdirSync("/proc").filter((name) => /^\\d+$/.test(name)
        && !/^\\d+ \\(.*\\) Z/.test(require("node:fs").readFileSync("/proc/" + name + "/stat", "utf8"))).length);`;
    start({ engine: { script }, isolated: true });
    const agent = await pod.agent();
    const began = performance.now();
    assert.equal((await agent.run(pod.command("plan", { args: ["plan"] }), () => {})).code, 0);
    assert.ok(performance.now() - began < 1900, "an open pipe of a stranger holds nothing up");
    assert.ok(existsSync(join(pod.work, "alive")));
    rmSync(join(pod.work, "alive"));
    const seen = collector();
    await agent.run(pod.command("apply", { args: ["apply"] }), seen.onLine);
    assert.deepEqual(seen.texts(), ["2"]);
    assert.equal(existsSync(join(pod.work, "alive")), false);
  });
});

function residentBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
