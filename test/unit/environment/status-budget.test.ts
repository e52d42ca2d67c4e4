import assert from "node:assert/strict";
import { cutBytes } from "../../../operator/api/cut-bytes.ts";
import type { ComponentStatus, EnvironmentStatus } from "../../../operator/api/environment-status.ts";
import { STATUS_BUDGET_BYTES, withinBudget } from "../../../operator/environment/status-budget.ts";

function bigStatus(letter: string): EnvironmentStatus {
  const components = Array.from({ length: 64 }, (_, index) => ({
    name: `component-${index}`,
    state: "Failed" as const,
    reason: "ConfigurationInvalid",
    message: cutBytes(letter.repeat(400), 160),
    run: `shop-component-${index}-0123abcd`,
    number: 9_999,
    revision: `${"b".repeat(244)}@sha1:${"0".repeat(40)}`,
    plan: { create: 1, update: 1, replace: 1, delete: 1 },
    appliedAt: "2026-01-01T00:00:00.000Z",
    retryAt: "2026-01-01T00:00:00.000Z",
    retries: 5,
  }));
  const outputs = Array.from({ length: 64 }, (_, index) => ({
    name: `output_${index}`,
    digest: `hmac-sha256:${"0".repeat(64)}`,
    value: letter.repeat(80),
  }));
  return { observedGeneration: 1, components, outputs };
}

/** Everything is to be applied anew after one commit, and waits for people. */
function waitingStatus(components: number, outputs: number): EnvironmentStatus {
  const at = "2026-01-01T00:00:00.000Z";
  const long = (index: number, length: number) => `${"n".repeat(length - 4)}${1000 + index}`;
  const line = (index: number): ComponentStatus => ({
    name: long(index, 20),
    state: "AwaitingApproval",
    reason: "AwaitingApproval",
    message: "kubectl terrarium approve shop-production-europe: 0 of 1 are given",
    run: long(index, 50),
    number: 9_999,
    revision: `main@sha1:${"0".repeat(40)}`,
    plan: { create: 1, update: 1, replace: 1, delete: 1 },
    approval: { planDigest: `sha256:${"0".repeat(64)}`, required: 1, given: 0, since: at, expiresAt: at },
    appliedAt: at,
    deletionPolicy: "Retain",
    lock: { run: long(index, 50), pod: long(index, 56), since: at, standing: "Orphaned" },
  });
  return {
    observedGeneration: 1,
    conditions: ["Ready", "Reconciling", "Stalled", "AwaitingApproval", "Drifted", "Expiring"].map((type) => ({
      type,
      status: "False",
      reason: "AwaitingApproval",
      message: "語".repeat(300),
      lastTransitionTime: at,
    })),
    components: Array.from({ length: components }, (_, index) => line(index)),
    outputs: Array.from({ length: outputs }, (_, index) => ({
      name: long(index, 60),
      digest: `hmac-sha256:${"0".repeat(64)}`,
    })),
  };
}

const sizeOf = (status: EnvironmentStatus) => Buffer.byteLength(JSON.stringify(status));
const fitted = (status: EnvironmentStatus) => withinBudget(status, new Set());

describe("A status", () => {
  for (const letter of ["a", "é", "語"]) {
    it(`of 64 failing components stays below 32 KiB, with letters like ${letter}`, () => {
      const status = fitted(bigStatus(letter));
      assert.ok(sizeOf(status) <= STATUS_BUDGET_BYTES);
      assert.equal(status.components?.length, 64);
      assert.equal(status.components?.[63]?.reason, "ConfigurationInvalid");
    });
  }

  for (const [components, outputs] of [
    [64, 0],
    [64, 64],
    [128, 64],
  ] as const) {
    it(`of ${components} components that wait for people, with ${outputs} outputs, stays below 32 KiB`, () => {
      const whole = waitingStatus(components, outputs);
      const status = fitted(whole);
      assert.ok(sizeOf(status) <= STATUS_BUDGET_BYTES, `${sizeOf(status)} bytes`);
      const { name, state, reason, deletionPolicy } = whole.components?.at(-1) ?? assert.fail();
      assert.partialDeepStrictEqual(status.components?.at(-1), { name, state, reason, deletionPolicy });
      assert.equal(status.components?.length, components);
      assert.deepEqual(status.outputs, whole.outputs, "their digests tell what is written where");
    });
  }

  it("says what a component waits for as long as there is room, or where its Run does not say it", () => {
    const { components = [], ...whole } = waitingStatus(40, 0);
    assert.ok(fitted({ ...whole, components }).components?.every(({ approval }) => approval !== undefined));
    const stuck = { name: "app", state: "Stalled", reason: "OutputMissing", message: "no output x", run: "r" } as const;
    const many = fitted({
      ...waitingStatus(127, 64),
      components: [...(waitingStatus(127, 0).components ?? []), stuck],
    });
    assert.equal(many.components?.at(-1)?.message, "no output x");
  });

  it("that is small enough is left alone", () => {
    const status: EnvironmentStatus = { observedGeneration: 1, summary: "1/1 ready" };
    assert.equal(fitted(status), status);
  });
});
