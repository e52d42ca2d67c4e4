import assert from "node:assert/strict";
import { decideRun } from "../../../operator/run/decide.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { begun, observation, runSpec } from "./observations.ts";

const suspended = anEnvironment([aComponent("network")], { spec: { suspend: true } });

describe("A Run of an Environment that is suspended", () => {
  for (const operation of ["Apply", "Destroy"] as const) {
    it(`is not begun where it waited for a place: ${operation}`, () => {
      const environment =
        operation === "Apply" ? suspended : { ...suspended, spec: { ...suspended.spec, components: [] } };
      const run = aRun(runSpec({ operation }));
      const decision = decideRun(observation({ run, status: undefined, pod: undefined, environment }));
      const message = "spec.suspend is true: nothing is begun";
      assert.deepEqual(decision, { type: "cancel", outcome: { result: "Cancelled", reason: "Suspended", message } });
    });
  }

  it("goes on where it has begun", () => {
    const status = begun({ phase: "Applying", applyStartedAt: new Date(T0).toISOString() });
    assert.equal(decideRun(observation({ status, environment: suspended })).type, "wait");
  });
});
