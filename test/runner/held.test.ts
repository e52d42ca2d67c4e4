/** A plan that waits: made by one pod, applied by another, with the real engines. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineNames } from "../../operator/engine/names.ts";
import { parseOutputs } from "../../operator/engine/outputs.ts";
import { heldPlan, type Verdict, type WorkOrder } from "../../operator/gateway/protocol.ts";
import { ensureBinaries } from "../../tools/cluster/binaries.ts";
import { stageProviders } from "../../tools/images/engines.ts";
import { aRepository, startGitServer } from "../unit/source/git-server.ts";
import { heldPods } from "./held-pods.ts";

const SUPERSEDED: Verdict = { verdict: "Refuse", reason: "Superseded", message: "a value has changed" };

const module = `
  variable "word" {}
  resource "terraform_data" "a" { input = var.word }
  output "word" {
    value     = terraform_data.a.output
    sensitive = true
  }`;
const variables: WorkOrder["variables"] = [{ name: "word", kind: "secret", secret: "shop", key: "word" }];
const order = { source: { inline: { "main.tf": module } }, variables };

describe("a plan that waits", function () {
  this.timeout(90_000);
  const { start, held } = heldPods();
  let folder = "";
  let cliConfigFile = "";

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "held-"));
    const mirror = join(folder, "providers");
    const silent = () => undefined;
    await stageProviders(mirror, await ensureBinaries(["provider-local", "provider-time", "provider-kubectl"], silent));
    cliConfigFile = join(folder, "cli.tfrc");
    writeFileSync(cliConfigFile, `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const engine of engineNames) {
    it(`is applied by a second pod, exactly as it was made, with ${engine}`, async () => {
      const { first, plan, stored } = await held({ engine, order, secrets: { "shop/word": "a-very-secret-word" } });
      assert.equal(stored.state, undefined, "nothing was applied");
      const second = await start({
        engine,
        like: first,
        // The source has changed meanwhile; what was approved is what counts.
        order: { ...order, source: { archive: { digest: "", size: 0 } }, phase: "Apply", held: plan },
        secrets: { "shop/word": "a-very-secret-word" },
        stored,
      });
      assert.deepEqual(await second.ended(), { agent: 0, engine: 0 }, second.log());
      assert.equal(second.outcome()?.result, "Applied");
      const { state, plans } = second.gateway.memory;
      assert.deepEqual(
        plans,
        [heldPlan.parse(plan)],
        "the gateway was asked about the very same plan, with the inputs as they are now",
      );
      assert.equal(parseOutputs(state?.toString() ?? "")[0]?.value, "a-very-secret-word");
      assert.equal(second.gateway.memory.lock, undefined);
      assert.doesNotMatch(second.log(), /a-very-secret-word/);
    });

    it(`that destroys waits, and is carried out, in the same way with ${engine}`, async () => {
      const made = await start({ engine, order, secrets: { "shop/word": "w" } });
      assert.deepEqual(await made.ended(), { agent: 0, engine: 0 }, made.log());
      const { state, archive } = made.gateway.memory;
      const destroy = {
        operation: "Destroy",
        source: { archive: { digest: "", size: 0 } },
        stateExists: true,
      } as const;
      const { first, plan, stored } = await held({ engine, order: destroy, stored: { state, archive } });
      assert.equal(plan.counts.delete, 1);
      const second = await start({
        engine,
        like: first,
        order: { ...destroy, phase: "Apply", held: plan },
        stored: { ...stored, archive },
      });
      assert.deepEqual(await second.ended(), { agent: 0, engine: 0 }, second.log());
      assert.equal(second.outcome()?.result, "Destroyed");
    });
  }

  for (const engine of engineNames) {
    it(`is applied with the providers that it was planned with, whose lock file it brings, with ${engine}`, async () => {
      const file = join(folder, `${engine}.txt`);
      const withProvider = `
        terraform {
          required_providers { local = { source = "hashicorp/local" } }
        }
        resource "local_file" "note" {
          filename = "${file}"
          content  = "approved"
        }`;
      const source = { inline: { "main.tf": withProvider } };
      const { first, plan, stored } = await held({ engine, order: { source }, cliConfigFile });
      const order = { source: { archive: { digest: "", size: 0 } }, phase: "Apply", held: plan } as const;
      const second = await start({ engine, like: first, order, stored, cliConfigFile });
      assert.deepEqual(await second.ended(), { agent: 0, engine: 0 }, second.log());
      assert.equal(second.outcome()?.result, "Applied", second.log());
      assert.equal(readFileSync(file, "utf8"), "approved");
    });
  }

  it("reports the inputs as they are now, so that a rotated Secret is noticed, and applies nothing on a no", async () => {
    const { first, plan, stored } = await held({ order, secrets: { "shop/word": "before" } });
    const second = await start({
      like: first,
      order: { ...order, source: { archive: { digest: "", size: 0 } }, phase: "Apply", held: plan },
      secrets: { "shop/word": "after" },
      stored,
      verdict: SUPERSEDED,
    });
    assert.deepEqual(await second.ended(), { agent: 0, engine: 1 }, second.log());
    assert.notEqual(second.gateway.memory.plans[0]?.inputsDigest, plan.inputsDigest);
    assert.deepEqual([second.outcome()?.result, second.outcome()?.reason], ["Cancelled", "Superseded"]);
    assert.equal(second.gateway.memory.state, undefined);
  });

  for (const [what, now, changes] of [
    ["holds another module by now", { "modules/main.tf": `${module}\n# another` }, true],
    ["is gone by now", {}, true],
    ["holds the same module", { "modules/main.tf": module }, false],
  ] as const)
    it(`reports ${changes ? "other" : "the same"} inputs where the ConfigMap that its module came from ${what}`, async () => {
      const fromConfigMap = { source: { configMap: { name: "modules" } }, sourceConfigMap: "modules" };
      const given = { ...order, ...fromConfigMap };
      const secrets = { "shop/word": "w" };
      const { first, plan, stored } = await held({ order: given, secrets, configMaps: { "modules/main.tf": module } });
      const second = await start({
        like: first,
        order: { ...given, source: { archive: { digest: "", size: 0 } }, phase: "Apply", held: plan },
        secrets,
        configMaps: now,
        stored,
        verdict: SUPERSEDED,
      });
      await second.ended();
      const [asked] = second.gateway.memory.plans;
      assert.equal(asked !== undefined && asked.inputsDigest !== plan.inputsDigest, changes, second.log());
    });

  it("tells the login that its source was fetched with: nothing else does, and its branch is to be followed meanwhile", async () => {
    const repository = await aRepository();
    const login = { username: "robot", password: "a-long-password" };
    const server = await startGitServer(repository.root, { login });
    try {
      const revision = await repository.commit("main", { "main.tf": module });
      const git = { url: `${server.url}/modules.git`, interval: "5m", secretRef: { name: "git" } };
      const secrets = { "shop/word": "w", "git/username": login.username, "git/password": login.password };
      const { plan } = await held({ order: { ...order, source: { git } }, secrets });
      assert.deepEqual([plan.sourceCredentials, plan.revision], [login, revision]);
    } finally {
      await server.close();
      await repository.remove();
    }
  });

  it("is not applied where the stored plan is not the one that was approved", async () => {
    const { first, plan, stored } = await held({ order, secrets: { "shop/word": "w" } });
    const second = await start({
      like: first,
      order: {
        ...order,
        source: { archive: { digest: "", size: 0 } },
        phase: "Apply",
        held: { ...plan, digest: `sha256:${"0".repeat(64)}` },
      },
      secrets: { "shop/word": "w" },
      stored,
    });
    await second.ended();
    assert.equal(second.outcome()?.reason, "PlanFailed");
    assert.match(second.outcome()?.message ?? "", /not the one that was approved/);
    assert.deepEqual(second.gateway.memory.plans, [], "nobody was even asked");
  });
});
