/** What a runner pod with the real engine tells of a plan that is not applied. */
import assert from "node:assert/strict";
import { engineNames } from "../../operator/engine/names.ts";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import { type RunnerPod, type RunnerPodOptions, startRunnerPod } from "./pod.ts";

const refused = { verdict: "Refuse", reason: "Protected", message: "the plan destroys what protect keeps" } as const;

const module = (mark: string) => `
  variable "word" {}
  variable "token" {
    sensitive = true
    default   = "canary-of-the-module"
  }
  resource "terraform_data" "changed" { input = "${mark}" }
  resource "terraform_data" "secret" { input = "\${var.word}-${mark}" }
  resource "terraform_data" "hidden" { input = "\${var.token}-${mark}" }
  resource "terraform_data" "replaced" { triggers_replace = ["${mark}"] }
  resource "terraform_data" "extra" { count = "${mark}" == "one" ? 1 : 0 }
`;

describe("a runner pod whose plan is refused", function () {
  this.timeout(90_000);
  const pods: RunnerPod[] = [];
  const run = async (options: RunnerPodOptions) => {
    const pod = await startRunnerPod(options);
    pods.push(pod);
    await pod.ended();
    return pod;
  };
  afterEach(async () => {
    for (const pod of pods.splice(0)) await pod.remove();
  });

  const variables: WorkOrder["variables"] = [{ name: "word", kind: "secret", secret: "shop", key: "word" }];
  const secrets = { "shop/word": "canary-of-a-secret" };
  const orderFor = (mark: string, more: Partial<WorkOrder> = {}) => ({
    source: { inline: { "main.tf": module(mark) } },
    variables,
    ...more,
  });

  for (const engine of engineNames) {
    it(`tells every change and the text of the plan, without a secret, with ${engine}`, async () => {
      const first = await run({ engine, secrets, order: orderFor("one") });
      assert.equal(first.outcome()?.result, "Applied");
      assert.equal(first.gateway.memory.planText, undefined, "a plan that is applied has its log alone");
      const { state } = first.gateway.memory;

      const order = orderFor("two", { stateExists: true });
      const second = await run({ engine, secrets, order, verdict: refused, stored: { state } });
      assert.deepEqual(
        [second.outcome()?.result, second.outcome()?.reason, second.outcome()?.retry],
        ["Failed", "Protected", "Never"],
      );
      const { plans, planText = "", journal } = second.gateway.memory;
      assert.deepEqual(
        plans[0]?.changes?.map(({ action, address, attributes }) => `${action} ${address}: ${attributes.join(" ")}`),
        [
          "delete terraform_data.extra[0]: id",
          "replace terraform_data.replaced: id triggers_replace",
          "update terraform_data.changed: input output",
          "update terraform_data.hidden: input output",
          "update terraform_data.secret: input output",
        ],
      );
      assert.deepEqual([plans[0]?.changesTruncated, plans[0]?.driftOnly], [false, false]);
      assert.match(planText, /^Plan: 0 to create, 3 to update, 1 to replace, 1 to destroy\.$/m);
      assert.match(planText, /~ input {2}= "one" -> "two"/);
      assert.match(planText, /~ input {2}= "\(sensitive\)-one" -> "\(sensitive\)-two"/);
      assert.match(planText, /~ input {2}= \(sensitive value\)/);
      assert.doesNotMatch(planText, /canary/);
      assert.deepEqual(journal, [], "nothing was applied");
    });
  }

  it("ends as it would where the text cannot be kept, and its log says why", async () => {
    const pod = await run({
      secrets,
      order: orderFor("one"),
      verdict: refused,
      refuse: { "PUT /v1/plan/text": "BadRequest" },
    });
    assert.equal(pod.outcome()?.reason, "Protected");
    assert.match(pod.log(), /the readable plan is not kept/);
  });
});
