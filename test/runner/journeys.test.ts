/** Runner pods with the real engine, from the work order to the result. */
import assert from "node:assert/strict";
import { engineNames } from "../../operator/engine/names.ts";
import { parseOutputs } from "../../operator/engine/outputs.ts";
import { parseState } from "../../operator/engine/state.ts";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import { TERMINATION_MESSAGE_BYTES } from "../../runner/pod-layout.ts";
import { assertNowhere, ending, inline, runnerPods } from "./runner-pods.ts";

describe("a runner pod", function () {
  this.timeout(90_000);
  const start = runnerPods();

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
      assert.deepEqual(await first.ended(), { agent: 0, engine: 0 }, first.log());
      assert.deepEqual(ending(first), { result: "Applied", reason: "Applied", resources: 1, lock: undefined });
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
      assert.deepEqual(await second.ended(), { agent: 0, engine: 0 }, second.log());
      assert.equal(second.outcome()?.result, "Unchanged");
      assert.equal(second.gateway.memory.result?.outputs.length, 1, "outputs are recorded without an apply, too");

      const third = await start({
        engine,
        order: { operation: "Destroy", source: { archive: { digest: "", size: 0 } }, stateExists: true },
        stored: { state, archive },
      });
      assert.deepEqual(await third.ended(), { agent: 0, engine: 0 }, third.log());
      assert.deepEqual(ending(third), { result: "Destroyed", reason: "Destroyed", resources: 0, lock: undefined });
      for (const pod of [first, second, third]) assertNowhere(pod, "a-very-secret-word");
    });
  }

  it("destroys nothing, without an engine, where the state holds nothing", async () => {
    const pod = await start({ order: { operation: "Destroy", source: { archive: { digest: "", size: 0 } } } });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 }, pod.log());
    assert.equal(pod.outcome()?.result, "Destroyed");
    assert.doesNotMatch(pod.log(), /Initializing/);
  });

  it("reports address by address what failed half way, and goes on from there", async () => {
    const files = `
      resource "terraform_data" "good" {}
      resource "terraform_data" "bad" {
        depends_on = [terraform_data.good]
        provisioner "local-exec" { command = "exit 3" }
      }`;
    const pod = await start({ order: inline(files) });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
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
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 }, pod.log());
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
      assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
      assert.equal(pod.outcome()?.reason, reason, pod.log());
      assert.match(pod.outcome()?.message ?? "", says);
      assert.equal(pod.gateway.memory.lock, undefined);
      assert.ok(Buffer.byteLength(pod.termination()) <= TERMINATION_MESSAGE_BYTES);
    });
  }

  it("does nothing when another pod has claimed the Run", async () => {
    const pod = await start({ order: inline(oneResource), refuse: { "POST /v1/claim": "AlreadyClaimed" } });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
    assert.match(pod.log(), /refuses this pod \(AlreadyClaimed\)/);
    assert.deepEqual(pod.gateway.memory.requests, ["POST /v1/claim"]);
  });
});
