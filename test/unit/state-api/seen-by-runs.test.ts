import assert from "node:assert/strict";
import type { Operation, Run } from "../../../operator/api/run.ts";
import type { RunStatus } from "../../../operator/api/run-status.ts";
import { seenByRuns } from "../../../operator/state-api/seen-by-runs.ts";
import { aRun, T0 } from "../../fakes/objects.ts";
import { runSpec } from "../run/observations.ts";

const applyStartedAt = new Date(T0).toISOString();
const aRunThat = (operation: Operation, number: number, status: Partial<RunStatus> = {}) =>
  aRun({ ...runSpec({ operation }), number }, { observedGeneration: 1, ...status } as RunStatus);

describe("The Runs of a component tell whoever writes its state", () => {
  it("which of them is the newest, in whatever order they come", () => {
    assert.equal(seenByRuns([]).newestRun, 0);
    assert.equal(seenByRuns([aRunThat("Apply", 2), aRunThat("Check", 3), aRunThat("Apply", 1)]).newestRun, 3);
  });

  const rows: readonly (readonly [string, boolean, readonly Run[]])[] = [
    ["no Run", false, []],
    ["a plan that failed, which saw what a person had put in", false, [aRunThat("Apply", 1, { phase: "Failed" })]],
    ["an apply that failed", true, [aRunThat("Apply", 1, { phase: "Failed", applyStartedAt })]],
    [
      "an apply, and a destroy that failed after it",
      true,
      [aRunThat("Apply", 1, { applyStartedAt }), aRunThat("Destroy", 2, { phase: "Failed", applyStartedAt })],
    ],
    [
      "an apply, and a destroy that ended well after it",
      false,
      [aRunThat("Destroy", 2, { phase: "Succeeded" }), aRunThat("Apply", 1, { applyStartedAt })],
    ],
    [
      "an apply after all was destroyed",
      true,
      [
        aRunThat("Apply", 1, { applyStartedAt }),
        aRunThat("Destroy", 2, { phase: "Succeeded" }),
        aRunThat("Apply", 3, { applyStartedAt }),
      ],
    ],
  ];
  for (const [what, begun, runs] of rows)
    it(`that ${begun ? "something" : "nothing"} was begun: ${what}`, () => assert.equal(seenByRuns(runs).begun, begun));
});
