import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { collector, patientEngine, startPod, type TestPod, type TestPodOptions } from "./pod.ts";

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

  it("takes no engine's traces from the source, in whatever folder, but keeps the lock file", async () => {
    const traces = ["errored.tfstate", ".terraform/terraform.tfstate", ".terraform/environment"];
    const states = ["terraform.tfstate", "terraform.tfstate.backup", "terraform.tfstate.d/dev/terraform.tfstate"];
    const kept = ["main.tf", ".terraform.lock.hcl", "terraform.tfvars"];
    const all = ["", "live/db/"].flatMap((at) => [...traces, ...states, ...kept].map((name) => [`${at}${name}`, "{}"]));
    start({
      engine: { script: `console.log(JSON.stringify(require("node:fs").readdirSync(".")))` },
      source: Object.fromEntries(all),
    });
    symlinkSync("main.tf", join(pod.root, "in/source/live/errored.tfstate"));
    const agent = await pod.agent();
    assert.equal((await agent.prepare("tree")).refused, undefined);
    for (const name of ["", "live", "live/db"])
      assert.equal(existsSync(join(pod.work, name, "errored.tfstate")), false, name);
    const seen = collector();
    await agent.run(pod.command("one", { cwd: join(pod.work, "live/db") }), seen.onLine);
    assert.deepEqual(JSON.parse(seen.texts()[0] ?? "").sort(), [...kept].sort());
    assert.ok(existsSync(join(pod.work, "terraform.tfstate")), "a module may read a state that lies elsewhere");
    await agent.finish({ acknowledgeErroredState: false, exitCode: 0 });
    assert.equal(await pod.ended, 0, "nothing holds the container");
  });

  it("lays out the modules that came with a plan as they were, beside which nothing of an engine's is taken", async () => {
    start({
      engine: { script: "" },
      source: { "live/main.tf": "", "live/.terraform/modules/vpc/main.tf": "committed" },
    });
    const overlay = join(pod.root, "in/overlay/live/.terraform");
    mkdirSync(join(overlay, "modules/vpc/.terraform"), { recursive: true });
    for (const name of ["terraform.tfstate", "modules/modules.json", "modules/vpc/.terraform/x", "modules/vpc/run.sh"])
      writeFileSync(join(overlay, name), "as planned");
    chmodSync(join(overlay, "modules/vpc/run.sh"), 0o755);
    symlinkSync("../../../main.tf", join(overlay, "modules/vpc/main.tf"));
    const agent = await pod.agent();
    assert.equal((await agent.prepare("tree")).refused, undefined);
    const modules = join(pod.work, "live/.terraform/modules");
    for (const name of ["modules.json", "vpc/.terraform/x", "vpc/run.sh"])
      assert.equal(readFileSync(join(modules, name), "utf8"), "as planned");
    assert.equal(statSync(join(modules, "vpc/run.sh")).mode & 0o777, 0o755);
    assert.equal(readlinkSync(join(modules, "vpc/main.tf")), "../../../main.tf");
    assert.equal(existsSync(join(modules, "../terraform.tfstate")), false);
  });

  it("lets the agent read what only the engine's user could, also in modules", async () => {
    const made = ["made.zip", ".terraform/modules/vpc/main.tf", ".terraform/providers/x"];
    const script = `const fs = require("node:fs");
      for (const path of ${JSON.stringify(made)}) {
        fs.mkdirSync(require("node:path").dirname(path), { recursive: true, mode: 0o700 });
        fs.writeFileSync(path, "", { mode: 0o600 });
      }`;
    start({ engine: { script }, source: { "main.tf": "" } });
    const agent = await pod.agent();
    await agent.prepare("tree");
    await agent.run(pod.command("one"), () => {});
    const modes = made.map((path) => (statSync(join(pod.work, path)).mode & 0o777).toString(8));
    assert.deepEqual(modes, ["640", "640", "600"]);
    assert.equal(statSync(join(pod.work, ".terraform/modules/vpc")).mode & 0o050, 0o050);
  });

  it("removes no state that an engine has left", async () => {
    start({
      engine: { script: `require("node:fs").writeFileSync("terraform.tfstate", "{}")` },
      source: { "main.tf": "" },
    });
    const agent = await pod.agent();
    await agent.prepare("tree");
    for (const id of ["one", "two"]) await agent.run(pod.command(id, { args: [id] }), () => {});
    assert.ok(existsSync(join(pod.work, "terraform.tfstate")));
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
    start({ engine: { script: patientEngine } });
    const agent = await pod.agent();
    const seen = collector();
    const exit = await agent.run(pod.command("one", { timeoutMs: 3_000 }), seen.onLine);
    assert.deepEqual([exit.timedOut, exit.code], [true, 1]);
    assert.deepEqual(seen.texts(), ["started", "signal 1"]);
    assert.equal(readFileSync(join(pod.work, "saved"), "utf8"), "1");
  });

  it("kills a command that does not end within its grace", async () => {
    start({
      engine: { script: `process.on("SIGTERM", () => {}); console.log("started"); setInterval(() => {}, 1000)` },
    });
    const agent = await pod.agent();
    const exit = await agent.run(pod.command("one", { timeoutMs: 3_000, graceMs: 200 }), () => {});
    assert.deepEqual([exit.timedOut, exit.signal], [true, "SIGKILL"]);
  });
});

function residentBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
