import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Operation, Run } from "../../../operator/api/run.ts";
import type { RunStatus } from "../../../operator/api/run-status.ts";
import { seenByRuns } from "../../../operator/state-api/seen-by-runs.ts";
import { aRun, T0 } from "../../fakes/objects.ts";
import { runSpec } from "../run/observations.ts";

const applyStartedAt = new Date(T0).toISOString();
const aRunThat = (operation: Operation, number: number, status: Partial<RunStatus> = {}, component = "network") =>
  aRun({ ...runSpec({ operation, component }), number }, { observedGeneration: 1, ...status } as RunStatus);
const endsWell = (resources: number): Partial<RunStatus> => ({
  phase: "Succeeded",
  outcome: { result: "Unchanged", reason: "Unchanged", message: "", resources },
});
const moved = (run: Run, name: string): Run => ({
  ...run,
  metadata: { ...run.metadata, annotations: { [ANNOTATIONS.movedTo]: name, [ANNOTATIONS.stateName]: name } },
});
const seen = (runs: readonly Run[], formerName?: string) => seenByRuns(runs, { name: "network", formerName });

describe("The Runs of a component tell whoever writes its state", () => {
  it("which of them is the newest, in whatever order they come", () => {
    assert.equal(seen([]).newestRun, 0);
    assert.equal(seen([aRunThat("Apply", 2), aRunThat("Check", 3), aRunThat("Apply", 1)]).newestRun, 3);
    const former = aRunThat("Apply", 7, { applyStartedAt }, "vpc");
    assert.equal(seen([aRunThat("Apply", 1), moved(former, "network")]).newestRun, 1, "each name has its own numbers");
  });

  const rows: readonly (readonly [string, boolean, readonly Run[]])[] = [
    ["no Run", false, []],
    ["a plan that failed, which saw what a person had put in", false, [aRunThat("Apply", 1, { phase: "Failed" })]],
    ["a plan that found everything there", true, [aRunThat("Apply", 1, endsWell(2))]],
    ["a plan that found nothing, and nothing to make", false, [aRunThat("Apply", 1, endsWell(0))]],
    ["an apply that was cut off before its beginning was told", true, [aRunThat("Apply", 1, { phase: "Interrupted" })]],
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
    it(`that ${begun ? "something" : "nothing"} was begun: ${what}`, () => assert.equal(seen(runs).begun, begun));

  it("that something was begun under a name that the state had before, until all was destroyed under this one", () => {
    const former = moved(aRunThat("Apply", 7, { applyStartedAt }, "vpc"), "network");
    assert.equal(seen([former]).begun, true);
    assert.equal(seen([former, aRunThat("Destroy", 1, { phase: "Succeeded" })]).begun, false);
  });

  it("that something was begun under the name from which the state was still to come", () => {
    const former = aRunThat("Apply", 1, { applyStartedAt }, "vpc");
    const before = moved(aRunThat("Apply", 1, { applyStartedAt }, "old"), "vpc");
    for (const run of [former, before]) {
      assert.equal(seen([run], "vpc").begun, true);
      assert.equal(seen([run]).begun, false);
    }
  });

  it("nothing of what has moved away: what is here by now is new", () => {
    const other = moved(aRunThat("Apply", 1, { applyStartedAt }), "vpc");
    assert.deepEqual(seen([other]), { newestRun: 1, begun: false });
  });
});
