import assert from "node:assert/strict";
import fc from "fast-check";
import { nextTryMs, retryDelayMs, retryLimit } from "../../../operator/environment/retry.ts";
import { runName } from "../../../operator/environment/run-name.ts";
import { aRun, ended, T0 } from "../../fakes/objects.ts";
import { runSpec } from "../run/observations.ts";

const failedAt = (attempt: number, uid: string, result: "Failed" | "Waiting" = "Failed") =>
  ended(aRun(runSpec({ attempt }), undefined, { uid }), { result });

describe("The pause before the next try", () => {
  it("doubles from ten seconds to ten minutes, give or take a tenth", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.uuid(), (attempt, uid) => {
        const plain = Math.min(600_000, 10_000 * 2 ** attempt);
        const pause = retryDelayMs(failedAt(attempt, uid));
        assert.ok(pause >= Math.floor(plain * 0.9) && pause <= Math.min(600_000, Math.ceil(plain * 1.1)), `${pause}`);
      }),
    );
  });

  it("is two minutes at most while an input is missing", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.uuid(), (attempt, uid) => {
        assert.ok(retryDelayMs(failedAt(attempt, uid, "Waiting")) <= 120_000);
      }),
    );
  });

  it("is the same at a second look and after a restart", () => {
    assert.equal(retryDelayMs(failedAt(3, "some-uid")), retryDelayMs(failedAt(3, "some-uid")));
  });

  it("spreads what failed together", () => {
    const pauses = Array.from({ length: 100 }, (_, index) => retryDelayMs(failedAt(2, `uid-${index}`)));
    assert.ok(new Set(pauses).size > 90);
    assert.ok(Math.max(...pauses) - Math.min(...pauses) > 4_000);
  });

  it("is never longer than ten minutes from now, wherever the clock is by then", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.uuid(), fc.integer({ min: -86_400_000, max: 86_400_000 }), (attempt, uid, jump) => {
        const nowMs = T0 + jump;
        const run = ended(aRun(runSpec({ attempt }), undefined, { uid }), { result: "Failed" }, T0);
        assert.ok(nextTryMs(run, nowMs) - nowMs <= 600_000);
        if (jump >= 0) assert.equal(nextTryMs(run, nowMs), T0 + retryDelayMs(run));
      }),
    );
  });

  it("comes five times unless the spec says otherwise, and never where it says zero", () => {
    assert.deepEqual([retryLimit(undefined), retryLimit(0), retryLimit(9)], [5, 0, 9]);
  });
});

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const objectName = fc
  .stringMatching(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/)
  .filter((name) => !/[.-][.]|[.][.-]/.test(name));
const shortName = fc.stringMatching(/^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$/);

describe("The name of a Run", () => {
  it("is a label, with room for the pod's suffix in 63 characters, whatever the names are", () => {
    fc.assert(
      fc.property(
        objectName,
        shortName,
        fc.uuid(),
        fc.integer({ min: 1, max: 1e6 }),
        (name, component, uid, number) => {
          const run = runName({ environment: { name, uid, generation: 1 }, component, number });
          assert.ok(run.length <= 61, run);
          assert.match(run, label);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("depends on UID, component and number, and on nothing else of the Run", () => {
    const base = { environment: { name: "shop", uid: "u", generation: 1 }, component: "network", number: 1 };
    assert.equal(runName(base), runName({ ...base, environment: { ...base.environment, generation: 9 } }));
    const others = [
      { ...base, number: 2 },
      { ...base, component: "networks" },
      { ...base, environment: { ...base.environment, uid: "v" } },
    ];
    assert.equal(new Set([base, ...others].map(runName)).size, 4);
  });

  it("tells apart what was cut to the same letters", () => {
    const names = ["a-very-long-environment-name-one", "a-very-long-environment-name-two"].map((name) =>
      runName({ environment: { name, uid: name, generation: 1 }, component: "network", number: 1 }),
    );
    assert.equal(new Set(names).size, 2);
  });
});
