/** Checks with the real engines, on a file that somebody edits and removes by hand. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineNames } from "../../operator/engine/names.ts";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import { ensureBinaries } from "../../tools/cluster/binaries.ts";
import { stageProviders } from "../../tools/images/engines.ts";
import { type RunnerPod, type RunnerPodOptions, startRunnerPod } from "./pod.ts";

describe("a Check in a runner pod", function () {
  this.timeout(90_000);
  const pods: RunnerPod[] = [];
  let folder = "";
  let cliConfigFile = "";

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "drift-"));
    const mirror = join(folder, "providers");
    const silent = () => undefined;
    await stageProviders(mirror, await ensureBinaries(["provider-local", "provider-time", "provider-kubectl"], silent));
    cliConfigFile = join(folder, "cli.tfrc");
    writeFileSync(cliConfigFile, `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`);
  });
  afterEach(async () => {
    for (const pod of pods.splice(0)) await pod.remove();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = async (options: RunnerPodOptions) => {
    const pod = await startRunnerPod({ ...options, cliConfigFile });
    pods.push(pod);
    return pod;
  };

  const moduleFor = (file: string) => `
    terraform {
      required_providers { local = { source = "hashicorp/local" } }
    }
    variable "word" { sensitive = true }
    resource "local_file" "note" {
      filename = "${file}"
      content  = var.word
    }
    resource "terraform_data" "steady" {}`;

  /** Applies the module, then forgets everything but what the store has. */
  async function applied(engine: RunnerPodOptions["engine"], file: string) {
    const variables: WorkOrder["variables"] = [{ name: "word", kind: "secret", secret: "shop", key: "word" }];
    const source = { inline: { "main.tf": moduleFor(file) } };
    const secrets = { "shop/word": "a-very-secret-word" };
    const pod = await start({ ...(engine && { engine }), order: { source, variables }, secrets });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 }, pod.log());
    const { state, archive } = pod.gateway.memory;
    return { state, archive };
  }

  async function checked(
    engine: RunnerPodOptions["engine"],
    stored: RunnerPodOptions["stored"],
    more: Partial<WorkOrder> = {},
  ) {
    const source = { archive: { digest: "", size: 0 } };
    const order = { operation: "Check" as const, source, stateExists: true, ...more };
    const pod = await start({ ...(engine && { engine }), order, ...(stored && { stored }) });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 }, pod.log());
    return pod;
  }

  const saidBy = ({ gateway }: RunnerPod) => {
    const { outcome, plan } = gateway.memory.result ?? {};
    return { result: outcome?.result, message: outcome?.message, counts: plan?.counts, resources: plan?.resources };
  };

  for (const engine of engineNames) {
    it(`finds what was edited and what was removed, and nothing else, with ${engine}`, async () => {
      const file = join(folder, `${engine}.txt`);
      const stored = await applied(engine, file);
      const none = { create: 0, update: 0, replace: 0, delete: 0 };

      const steady = await checked(engine, stored);
      assert.deepEqual(saidBy(steady), {
        result: "Unchanged",
        message: "what was applied is what is there",
        counts: none,
        resources: [],
      });

      for (const tamper of [() => writeFileSync(file, "by hand"), () => rmSync(file)]) {
        tamper();
        const pod = await checked(engine, stored);
        assert.deepEqual(saidBy(pod), {
          result: "Drifted",
          message: "what was applied is not what is there: local_file.note",
          counts: { ...none, create: 1 },
          resources: [{ address: "local_file.note", action: "create" }],
        });
        const serial = JSON.parse(stored.state?.toString() ?? "{}").serial;
        assert.equal(pod.outcome()?.stateSerial, serial, "the gateway hears which version was looked at");
        assert.ok(!pod.log().includes("a-very-secret-word"));
        assert.doesNotMatch(JSON.stringify(pod.gateway.memory.result), /a-very-secret-word/);
      }
      assert.ok(!existsSync(file), "nothing is mended");

      const ignoring = await checked(engine, stored, { ignore: [{ address: "local_file.*" }] });
      assert.deepEqual(saidBy(ignoring), {
        result: "Unchanged",
        message: "what was applied is what is there; ignored: local_file.note",
        counts: none,
        resources: [],
      });
    });
  }

  it("asks the gateway for the archive and, once, for the state, and tells it nothing but the end", async () => {
    const stored = await applied("opentofu", join(folder, "quiet.txt"));
    const pod = await checked("opentofu", stored);
    assert.deepEqual(pod.gateway.memory.requests, [
      "POST /v1/claim",
      "GET /v1/archive",
      "GET /v1/state",
      "POST /v1/result",
    ]);
    assert.deepEqual(pod.gateway.memory.state, stored.state);
  });

  it("works while somebody else holds the lock of the state", async () => {
    const file = join(folder, "locked.txt");
    const stored = await applied("opentofu", file);
    const source = { archive: { digest: "", size: 0 } };
    const pod = await start({
      order: { operation: "Check", source, stateExists: true },
      stored,
      refuse: { "PUT /v1/state/lock": "Locked" },
    });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 }, pod.log());
    assert.equal(pod.outcome()?.result, "Unchanged");
    assert.equal(readFileSync(file, "utf8"), "a-very-secret-word");
  });

  it("fails, and says why, where the credentials of the plan are gone", async () => {
    const stored = await applied("opentofu", join(folder, "poor.txt"));
    const credentials: WorkOrder["credentials"] = [
      { name: "aws", secretRef: { name: "aws" }, as: "Env", phases: ["Plan"], keepForDestroy: false },
    ];
    const pod = await checked("opentofu", stored, { credentials });
    assert.deepEqual([pod.outcome()?.result, pod.outcome()?.reason], ["Waiting", "InputMissing"]);
  });
});
