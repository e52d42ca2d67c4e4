import assert from "node:assert/strict";
import { cutBytes } from "../../../operator/api/cut-bytes.ts";
import type { EnvironmentStatus } from "../../../operator/api/environment-status.ts";
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

describe("A status", () => {
  for (const letter of ["a", "é", "語"]) {
    it(`of 64 failing components stays below 32 KiB, with letters like ${letter}`, () => {
      const status = withinBudget(bigStatus(letter), new Set());
      assert.ok(Buffer.byteLength(JSON.stringify(status)) <= STATUS_BUDGET_BYTES);
      assert.equal(status.components?.length, 64);
      assert.equal(status.components?.[63]?.reason, "ConfigurationInvalid");
    });
  }

  it("that is small enough is left alone", () => {
    const status: EnvironmentStatus = { observedGeneration: 1, summary: "1/1 ready" };
    assert.equal(withinBudget(status, new Set()), status);
  });
});
