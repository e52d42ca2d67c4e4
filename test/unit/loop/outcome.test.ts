import assert from "node:assert/strict";
import { failed, requeueFor, settled, stalled, waiting } from "../../../operator/loop/outcome.ts";

describe("what an outcome means to the queue", () => {
  const error = new Error("cloud");
  for (const [name, outcome, requeue] of [
    ["settled: until something changes", settled, { type: "forget" }],
    ["stalled: until a person acts", stalled, { type: "forget" }],
    ["waiting: that long", waiting(500), { type: "after", ms: 500 }],
    ["waiting for what is past: now", waiting(-5), { type: "after", ms: 0 }],
    ["waiting for a moment that nobody knows: as long as for any", waiting(Number.NaN), { type: "after", ms: 600_000 }],
    ["failed: with back-off", failed(error), { type: "backoff", error }],
  ] as const) {
    it(name, () => assert.deepEqual(requeueFor(outcome), requeue));
  }
});
