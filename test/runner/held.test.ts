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
import { type RunnerPod, type RunnerPodOptions, startRunnerPod } from "./pod.ts";

const HOLD: Verdict = { verdict: "Hold", reason: "AwaitingApproval", message: "one person must approve this plan" };
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
  const pods: RunnerPod[] = [];
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
  const start = async (options: RunnerPodOptions) => {
    const pod = await startRunnerPod(options);
    pods.push(pod);
    return pod;
  };
  afterEach(async () => {
    for (const pod of pods.splice(0)) await pod.remove();
  });

  /** The first pod: it plans, hands its plan over, and is gone. */
  async function held(options: RunnerPodOptions) {
    const first = await start({ ...options, verdict: HOLD });
    assert.deepEqual(await first.ended(), { agent: 0, engine: 0 }, first.log());
    const { plans, archive, bundle, state } = first.gateway.memory;
    assert.equal(first.outcome(), undefined, "the Run has not ended");
    assert.ok(plans[0] !== undefined && bundle !== undefined);
    await first.remove();
    return { first, plan: plans[0], stored: { archive, bundle, state } };
  }

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
      assert.deepEqual(await made.ended(), { agent: 0, engine: 0 });
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
