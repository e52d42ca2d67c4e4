/** Pods of plans that wait: the first one makes the plan and is gone, the second one applies it. */
import assert from "node:assert/strict";
import type { Verdict } from "../../operator/gateway/protocol.ts";
import type { RunnerPodOptions } from "./pod.ts";
import { runnerPods } from "./runner-pods.ts";

const HOLD: Verdict = { verdict: "Hold", reason: "AwaitingApproval", message: "one person must approve this plan" };

/** Such pods for the tests of one `describe`; they are removed when their test has ended. */
export function heldPods() {
  const start = runnerPods();

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

  return { start, held };
}
