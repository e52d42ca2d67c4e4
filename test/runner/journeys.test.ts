/** Runner pods with the real engine, from the work order to the result. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineNames } from "../../operator/engine/names.ts";
import { parseOutputs } from "../../operator/engine/outputs.ts";
import { parseState } from "../../operator/engine/state.ts";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import { TERMINATION_MESSAGE_BYTES } from "../../runner/pod-layout.ts";
import { logged, type RunnerPod, type RunnerPodOptions, startRunnerPod } from "./pod.ts";

const inline = (text: string): Pick<WorkOrder, "source"> => ({ source: { inline: { "main.tf": text } } });

/** Runs for as long as the file named by the variable is missing. */
const waitingResource = (name: string, file: string) => `
  resource "terraform_data" "${name}" {
    provisioner "local-exec" { command = "while [ ! -e ${file} ]; do sleep 0.05; done" }
  }`;

describe("a runner pod", function () {
  this.timeout(90_000);
  /** Where the files are that resources wait for. */
  let flags = "";
  const pods: RunnerPod[] = [];
  const start = async (options: RunnerPodOptions) => {
    const pod = await startRunnerPod(options);
    pods.push(pod);
    return pod;
  };
  before(() => {
    flags = mkdtempSync(join(tmpdir(), "runner-flags-"));
    // Engines are users of their own.
    chmodSync(flags, 0o777);
  });
  after(() => rmSync(flags, { recursive: true, force: true }));
  afterEach(async () => {
    for (const pod of pods.splice(0)) await pod.remove();
  });

  const oneResource = `
    variable "word" {}
    variable "unused" { default = 1 }
    resource "terraform_data" "a" { input = var.word }
    output "word" {
      value     = terraform_data.a.output
      sensitive = true
    }`;

  for (const engine of engineNames) {
    it(`applies, finds nothing to do, then destroys from the archive, with ${engine}`, async () => {
      const variables: WorkOrder["variables"] = [{ name: "word", kind: "secret", secret: "shop", key: "word" }];
      const secrets = { "shop/word": "a-very-secret-word" };
      const first = await start({ engine, order: { ...inline(oneResource), variables }, secrets });
      assert.deepEqual(await first.ended(), { agent: 0, engine: 0 });
      assert.deepEqual(pick(first), { result: "Applied", reason: "Applied", resources: 1, lock: undefined });
      const { state, archive, result, plans, journal } = first.gateway.memory;
      assert.ok(state && archive);
      assert.equal(parseOutputs(state.toString())[0]?.value, "a-very-secret-word");
      assert.deepEqual(
        result?.outputs.map(({ name, sensitive }) => ({ name, sensitive })),
        [{ name: "word", sensitive: true }],
      );
      assert.deepEqual(plans[0]?.counts, { create: 1, update: 0, replace: 0, delete: 0 });
      assert.deepEqual(
        journal.map(({ event, address }) => `${event} ${address}`),
        ["apply_start terraform_data.a", "apply_complete terraform_data.a"],
      );
      assert.match(first.termination(), /"result":"Applied"/);

      const second = await start({
        engine,
        order: { ...inline(oneResource), variables, stateExists: true },
        secrets,
        stored: { state },
      });
      assert.deepEqual(await second.ended(), { agent: 0, engine: 0 });
      assert.equal(second.outcome()?.result, "Unchanged");
      assert.equal(second.gateway.memory.result?.outputs.length, 1, "outputs are recorded without an apply, too");

      const third = await start({
        engine,
        order: { operation: "Destroy", source: { archive: { digest: "", size: 0 } }, stateExists: true },
        stored: { state, archive },
      });
      assert.deepEqual(await third.ended(), { agent: 0, engine: 0 });
      assert.deepEqual(pick(third), { result: "Destroyed", reason: "Destroyed", resources: 0, lock: undefined });
      for (const pod of [first, second, third]) assertNowhere(pod, "a-very-secret-word");
    });
  }

  it("destroys nothing, without an engine, where the state holds nothing", async () => {
    const pod = await start({ order: { operation: "Destroy", source: { archive: { digest: "", size: 0 } } } });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 });
    assert.equal(pod.outcome()?.result, "Destroyed");
    assert.doesNotMatch(pod.log(), /Initializing/);
  });

  for (const operation of ["Apply", "Destroy"] as const) {
    it(`stops where the stored state cannot be read, and never says that there is nothing: ${operation}`, async () => {
      const pod = await start({
        order: { ...inline('resource "terraform_data" "a" {}'), operation, stateExists: true },
        refuse: { "GET /v1/state": "StoreCorrupt" },
      });
      assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 });
      const { result, reason, retry } = pod.outcome() ?? {};
      assert.deepEqual([result, reason, retry], ["Failed", "StateLost", "Never"]);
      const { plans, state } = pod.gateway.memory;
      assert.deepEqual([plans.length, state], [0, undefined]);
    });
  }

  it("reports address by address what failed half way, and goes on from there", async () => {
    const files = `
      resource "terraform_data" "good" {}
      resource "terraform_data" "bad" {
        depends_on = [terraform_data.good]
        provisioner "local-exec" { command = "exit 3" }
      }`;
    const pod = await start({ order: inline(files) });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 });
    const outcome = pod.outcome();
    assert.equal(outcome?.reason, "ApplyFailed");
    assert.equal(outcome.retry, "Backoff");
    assert.equal(outcome.diagnostics?.[0]?.address, "terraform_data.bad");
    assert.equal(outcome.diagnostics?.[0]?.file, "main.tf");
    assert.match(outcome.message, /terraform_data\.bad.*exit status 3/s);
    const state = pod.gateway.memory.state;
    assert.ok(state, "what was made is in the state");
    assert.ok(parseState(state.toString()).addresses.includes("terraform_data.good"));
    assert.equal(pod.gateway.memory.lock, undefined);
  });

  it("loses nothing when the gateway is away in the middle of an apply", async () => {
    const flag = join(flags, "away");
    const pod = await start({ order: inline(waitingResource("slow", flag)) });
    await pod.gateway.until(({ journal }) => journal.length > 0, "the apply to begin");
    pod.gateway.memory.away = true;
    await release(flag);
    await logged(pod, /Apply complete/);
    assert.equal(pod.gateway.memory.state, undefined);
    pod.gateway.memory.away = false;
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 });
    assert.equal(pod.outcome()?.result, "Applied");
    assert.ok(pod.gateway.memory.state);
    assert.equal(pod.gateway.memory.lock, undefined);
    assert.equal(pod.gateway.memory.journal.length, 2);
    assert.equal(pod.outcome()?.diagnostics, undefined);
  });

  it("goes on with the same apply when the agent is killed in the middle of it", async () => {
    const flag = join(flags, "restart");
    const counted = `
      resource "terraform_data" "once" {
        provisioner "local-exec" { command = "echo made >> ${flag}.count" }
      }
      ${waitingResource("slow", flag)}`;
    const pod = await start({ order: inline(counted) });
    await pod.gateway.until(
      ({ journal }) => journal.some(({ event }) => event === "apply_complete"),
      "the first resource",
    );
    pod.agent().kill("SIGKILL");
    await new Promise((resolve) => pod.agent().once("exit", resolve));
    await release(flag);
    pod.restartAgent();
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 });
    assert.equal(pod.outcome()?.result, "Applied");
    assert.equal(readFileSync(`${flag}.count`, "utf8"), "made\n");
    assert.deepEqual(
      pod.gateway.memory.journal
        .filter(({ event }) => event === "apply_complete")
        .map(({ address }) => address)
        .sort(),
      ["terraform_data.once", "terraform_data.slow"],
    );
    assert.equal(parseState(pod.gateway.memory.state?.toString() ?? "").resourceCount, 2);
  });

  it("stops an apply on SIGTERM, saves what was made and says so", async () => {
    const flag = join(flags, "term");
    const files = `
      resource "terraform_data" "first" {}
      ${waitingResource("slow", flag)}
      resource "terraform_data" "never" { depends_on = [terraform_data.slow] }`;
    const pod = await start({ order: inline(files) });
    await pod.gateway.until(
      ({ journal }) => journal.some(({ event }) => event === "apply_complete"),
      "the first resource",
    );
    pod.agent().kill("SIGTERM");
    await logged(pod, /[Ii]nterrupt|[Ss]topping/);
    await release(flag);
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 });
    const outcome = pod.outcome();
    assert.equal(outcome?.reason, "ApplyFailed");
    assert.match(outcome.message, /the pod was told to end while it applied/);
    const state = parseState(pod.gateway.memory.state?.toString() ?? "");
    assert.ok(state.addresses.includes("terraform_data.first"));
    assert.ok(!state.addresses.includes("terraform_data.never"));
    assert.equal(pod.gateway.memory.lock, undefined);
  });

  it("shows a secret value nowhere, not even in the engine's error", async () => {
    const files = `
      variable "token" { type = string }
      variable "note" { type = string }
      resource "terraform_data" "a" {
        input = base64encode(var.token)
        lifecycle {
          precondition {
            condition     = length(var.note) > 1000
            error_message = "bad: \${nonsensitive(var.token)} \${jsonencode(var.note)} \${base64encode(var.token)} \${urlencode(var.note)}"
          }
        }
      }`;
    const token = "s3cr3t/value+with&odd<chars>";
    const note = "first line of the note\nsecond line of the note";
    const pod = await start({
      order: {
        ...inline(files),
        variables: [
          { name: "token", kind: "secret", secret: "shop", key: "token" },
          { name: "note", kind: "value", value: note, sensitive: true },
        ],
      },
      secrets: { "shop/token": token },
    });
    await pod.ended();
    assert.equal(pod.outcome()?.result, "Failed");
    assert.match(pod.outcome()?.message ?? "", /bad: \(sensitive\)/);
    for (const spelling of [
      token,
      JSON.stringify(token).slice(1, -1),
      btoa(token),
      "first line of the note",
      "second line",
      "first+line",
      "first%20line",
    ]) {
      assertNowhere(pod, spelling);
    }
  });

  it("calls an output sensitive that echoes a Secret, though the module does not", async () => {
    const files = `
      variable "token" { type = string }
      output "echo" { value = { url = "https://user:\${var.token}@example.com" } }
      output "plain" { value = "nothing secret" }`;
    const pod = await start({
      order: { ...inline(files), variables: [{ name: "token", kind: "secret", secret: "shop", key: "token" }] },
      secrets: { "shop/token": "a-very-secret-token" },
    });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 });
    assert.deepEqual(
      pod.gateway.memory.result?.outputs.map(({ name, sensitive }) => [name, sensitive]),
      [
        ["echo", true],
        ["plain", false],
      ],
    );
    assertNowhere(pod, "a-very-secret-token");
  });

  it("names everything that is missing at once", async () => {
    const pod = await start({
      order: {
        ...inline(""),
        variables: [
          { name: "a", kind: "secret", secret: "shop", key: "db" },
          { name: "b", kind: "secret", secret: "shop", key: "user" },
          { name: "c", kind: "configMap", configMap: "settings", key: "region" },
        ],
        credentials: [{ name: "aws", secretRef: { name: "aws" }, as: "Env", phases: ["Plan"], keepForDestroy: false }],
      },
      secrets: { "shop/user": "somebody" },
    });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 });
    const outcome = pod.outcome();
    assert.deepEqual([outcome?.result, outcome?.reason], ["Waiting", "InputMissing"]);
    assert.match(outcome?.message ?? "", /Secret shop: key db is missing/);
    assert.match(outcome?.message ?? "", /ConfigMap settings is missing/);
    assert.match(outcome?.message ?? "", /Secret aws is missing/);
    assert.doesNotMatch(outcome?.message ?? "", /key user/);
  });

  for (const { name, files, reason, says, order = {} } of [
    {
      name: "a syntax error",
      files: 'resource "terraform_data" "a" {',
      reason: "ConfigurationInvalid",
      says: /main\.tf:1/,
    },
    {
      name: "a missing variable",
      files: 'variable "region" {}',
      reason: "VariableMissing",
      says: /region \(main\.tf:1\)/,
    },
    {
      name: "a variable of the component that the module does not declare",
      files: 'variable "size" {}',
      reason: "VariableUnknown",
      says: /sise.*declares size/,
      order: {
        variables: [{ name: "sise", kind: "value" as const, value: 1, sensitive: false }],
        ownVariables: ["sise"],
      },
    },
    {
      name: "a module that does not exist",
      files: 'module "m" { source = "./none" }',
      reason: "ModuleNotFound",
      says: /none/,
    },
    {
      name: "a backend of the module's own",
      files: 'terraform { backend "local" {} }',
      reason: "BackendChoiceNeeded",
      says: /main\.tf:1.*Managed/,
    },
    {
      name: "a value of the wrong type",
      files: 'variable "count_of" {\n type = number\n}\nresource "terraform_data" "a" { input = var.count_of }',
      reason: "VariableInvalid",
      says: /main\.tf|count_of/,
      order: { variables: [{ name: "count_of", kind: "value" as const, value: "many", sensitive: false }] },
    },
  ]) {
    it(`says ${reason} for ${name}`, async () => {
      const pod = await start({ order: { ...inline(files), ...order } });
      assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 });
      assert.equal(pod.outcome()?.reason, reason, pod.log());
      assert.match(pod.outcome()?.message ?? "", says);
      assert.equal(pod.gateway.memory.lock, undefined);
      assert.ok(Buffer.byteLength(pod.termination()) <= TERMINATION_MESSAGE_BYTES);
    });
  }

  it("does nothing when another pod has claimed the Run", async () => {
    const pod = await start({ order: inline(oneResource), refuse: { "POST /v1/claim": "AlreadyClaimed" } });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 });
    assert.match(pod.log(), /refuses this pod \(AlreadyClaimed\)/);
    assert.deepEqual(pod.gateway.memory.requests, ["POST /v1/claim"]);
  });

  it("holds a state that nobody takes, over restarts, and tells no result before somebody has taken it", async () => {
    let taken = false;
    const refusals: string[] = [];
    const pod = await start({ order: inline('resource "terraform_data" "a" {}') });
    pod.gateway.memory.refuse = (request) => {
      if (taken || (request !== "POST /v1/state" && request !== "PUT /v1/recovery")) return undefined;
      refusals.push(request);
      return "StateOwnedByOther";
    };
    await logged(pod, /only copy of the state/);
    pod.agent().kill("SIGKILL");
    await new Promise((resolve) => pod.agent().once("exit", resolve));
    const before = refusals.length;
    pod.restartAgent();
    await pod.gateway.until(() => refusals.length > before, "the next agent to offer the state");
    assert.equal(pod.gateway.memory.result, undefined, "the Run stays open");
    assert.equal(pod.launcher.exitCode, null);
    taken = true;
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 });
    assert.ok(pod.gateway.memory.recovery);
    assert.equal(parseState(pod.gateway.memory.state?.toString() ?? "").resourceCount, 1);
  });

  it("that is told to end stays until a state that the store refuses is safe, and says so before it ends", async () => {
    const flag = join(flags, "drain");
    let taken = false;
    const pod = await start({
      order: inline(`
        resource "terraform_data" "first" {}
        ${waitingResource("slow", flag)}`),
    });
    pod.gateway.memory.refuse = (request) =>
      !taken && (request === "POST /v1/state" || request === "PUT /v1/recovery") ? "StateOwnedByOther" : undefined;
    await pod.gateway.until(
      ({ journal }) => journal.some(({ event }) => event === "apply_complete"),
      "the first resource",
    );
    // As the kubelet does in a drain: both containers are told at once.
    pod.agent().kill("SIGTERM");
    pod.launcher.kill("SIGTERM");
    await release(flag);
    await logged(pod, /only copy of the state/);
    assert.deepEqual([pod.launcher.exitCode, pod.agent().exitCode], [null, null], "neither container ends");
    assert.equal(pod.gateway.memory.result, undefined, "the Run stays open: nothing is planned meanwhile");
    taken = true;
    await pod.ended();
    const saved = parseState(pod.gateway.memory.recovery?.toString() ?? "");
    assert.ok(saved.addresses.includes("terraform_data.first"));
    assert.ok(pod.gateway.memory.result);
  });

  it("applies nothing where the plan is another one than the one that was judged", async () => {
    const pod = await start({
      order: inline('resource "terraform_data" "a" {}'),
      refuse: { "POST /v1/plan": "StoreUnavailable" },
    });
    await pod.gateway.until(({ requests }) => requests.includes("POST /v1/plan"), "the plan");
    pod.agent().kill("SIGKILL");
    await new Promise((resolve) => pod.agent().once("exit", resolve));
    const counts = { create: 1, update: 0, replace: 0, delete: 0 };
    const report = { digest: "sha256:judged", counts, empty: false, resources: [], truncated: false, drifted: 0 };
    const planned = { report: { ...report, inputsDigest: "" }, verdict: pod.gateway.memory.verdict };
    writeFileSync(join(pod.root, "spool/planned.json"), JSON.stringify(planned));
    pod.restartAgent();
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 });
    assert.equal(pod.outcome()?.reason, "PlanFailed");
    assert.match(pod.outcome()?.message ?? "", /changed after it was judged/);
    assert.equal(pod.gateway.memory.state, undefined);
  });

  it("takes no state while it plans, from a program of the module neither, and the one of its apply", async () => {
    const pod = await start({
      order: inline('resource "terraform_data" "a" {}'),
      refuse: { "POST /v1/plan": "StoreUnavailable" },
    });
    await pod.gateway.until(({ requests }) => requests.includes("POST /v1/plan"), "the plan");
    const { digestKey, run } = pod.gateway.memory.order;
    // As the engine has it in its environment.
    const password = createHmac("sha256", Buffer.from(digestKey, "base64")).update(`state of ${run.uid}`);
    const authorization = `Basic ${btoa(`terrarium:${password.digest("base64url")}`)}`;
    const ask = (method: string, query = "", body = "") =>
      fetch(`http://127.0.0.1:${pod.statePort}/state${query}`, { method, headers: { authorization }, body });
    assert.equal((await ask("LOCK", "", JSON.stringify({ ID: "mine" }))).status, 200);
    const state = JSON.stringify({ version: 4, terraform_version: "1", serial: 9, lineage: "l", resources: [] });
    assert.equal((await ask("POST", "?ID=mine", state)).status, 409);
    assert.equal((await ask("UNLOCK", "", JSON.stringify({ ID: "mine" }))).status, 200);
    assert.deepEqual([pod.gateway.memory.state, pod.gateway.memory.recovery], [undefined, undefined]);
    pod.gateway.memory.refuse = () => undefined;
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 });
    assert.deepEqual(pick(pod), { result: "Applied", reason: "Applied", resources: 1, lock: undefined });
    assert.notEqual(parseState(pod.gateway.memory.state?.toString() ?? "").lineage, "l");
  });

  it("saves the state that the store refused at first, and says that it did", async () => {
    let refusals = 1;
    const refuse = (request: string) => (request === "POST /v1/state" && refusals-- > 0 ? "NotAState" : undefined);
    const pod = await start({ order: inline('resource "terraform_data" "a" {}') });
    pod.gateway.memory.refuse = refuse;
    await pod.ended();
    assert.ok(pod.gateway.memory.recovery, "a copy was made before anything else");
    assert.ok(pod.gateway.memory.state, pod.log());
    assert.equal(pod.gateway.memory.lock, undefined);
    assert.match(pod.outcome()?.message ?? "", /state was saved afterwards/);
  });
});

function pick(pod: RunnerPod) {
  const { result, reason, resources } = pod.outcome() ?? {};
  return { result, reason, resources, lock: pod.gateway.memory.lock };
}

/** In nothing that leaves the pod but the state and the archive. */
function assertNowhere(pod: RunnerPod, secret: string): void {
  const { result, plans, journal, progress } = pod.gateway.memory;
  const said = [pod.log(), pod.termination(), JSON.stringify([result, plans, journal, progress])];
  for (const text of said) assert.ok(!text.includes(secret), `${secret} is in: ${text}`);
}

async function release(flag: string): Promise<void> {
  writeFileSync(flag, "");
}
