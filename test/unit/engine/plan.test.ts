import assert from "node:assert/strict";
import { NotAPlan, readPlan } from "../../../operator/engine/plan.ts";
import { fixture, recordedEngines } from "./fixture.ts";

const nothing = { create: 0, update: 0, replace: 0, delete: 0, forget: 0, import: 0, move: 0, read: 0, outputs: 0 };

interface Change {
  readonly actions?: readonly string[];
  readonly [field: string]: unknown;
}

function aPlan(
  changes: readonly { readonly change: Change; readonly [field: string]: unknown }[],
  rest: object = {},
): unknown {
  return {
    format_version: "1.2",
    resource_changes: changes.map(({ change, ...fields }, at) => ({
      address: `thing.a[${at}]`,
      mode: "managed",
      type: "thing",
      ...fields,
      change: { actions: ["no-op"], ...change },
    })),
    ...rest,
  };
}

describe("a plan", () => {
  for (const engine of recordedEngines) {
    const read = (name: string) => readPlan(JSON.parse(fixture(engine, name)));

    it(`of ${engine} that creates is counted`, () => {
      const { summary, isEmpty } = read("plan-create.json");
      assert.deepEqual(summary, { ...nothing, create: 6, outputs: 3 });
      assert.equal(isEmpty, false);
    });

    it(`of ${engine} that changes names attributes and what forces a replacement`, () => {
      const { summary, resources } = read("plan-change.json");
      assert.deepEqual([summary.update, summary.replace, summary.delete, summary.create], [2, 1, 1, 0]);
      const replaced = resources.items.find(({ address }) => address === "terraform_data.replaced");
      assert.equal(replaced?.action, "Replace");
      assert.deepEqual(replaced?.replacedBy, ["triggers_replace"]);
      const hidden = resources.items.find(({ address }) => address === "terraform_data.hidden");
      assert.deepEqual(hidden?.changed, ["input", "output"]);
    });

    it(`of ${engine} lets no value out`, () => {
      for (const name of ["plan-create.json", "plan-change.json", "plan-destroy.json"]) {
        assert.doesNotMatch(JSON.stringify(read(name)), /canary/);
      }
    });

    it(`of ${engine} without a change is empty, one with an output alone is not`, () => {
      assert.equal(read("plan-empty.json").isEmpty, true);
      assert.deepEqual(read("plan-empty.json").summary, nothing);
      assert.equal(read("plan-output.json").isEmpty, false);
    });

    it(`of ${engine} that destroys is counted`, () => assert.equal(read("plan-destroy.json").summary.delete, 6));
  }

  it("that only moves or imports is not empty", () => {
    const moved = readPlan(aPlan([{ previous_address: "thing.b", change: {} }]));
    assert.deepEqual([moved.isEmpty, moved.summary.move, moved.resources.items[0]?.movedFrom], [false, 1, "thing.b"]);
    const imported = readPlan(aPlan([{ change: { importing: { id: "x" } } }]));
    assert.deepEqual([imported.isEmpty, imported.summary.import], [false, 1]);
  });

  it("with an action that is not known counts as a change", () => {
    assert.equal(readPlan(aPlan([{ change: { actions: ["transmogrify"] } }])).summary.update, 1);
    assert.equal(readPlan(aPlan([{ change: { actions: ["forget"] } }])).summary.forget, 1);
    assert.equal(readPlan(aPlan([{ change: { actions: ["create", "delete"] } }])).summary.replace, 1);
  });

  it("with drift alone is empty, and tells the drift", () => {
    const drift = [
      {
        address: "thing.a",
        type: "thing",
        change: { actions: ["update"], before: { a: 1, b: 2 }, after: { a: 1, b: 3 } },
      },
      { address: "thing.b", type: "thing", change: { actions: ["delete"], before: { a: 1 }, after: null } },
      { address: "thing.d", previous_address: "thing.c", type: "thing", change: { actions: ["no-op"] } },
    ];
    const report = readPlan(aPlan([{ change: {} }], { resource_drift: drift }));
    assert.equal(report.isEmpty, true);
    assert.deepEqual(report.drift.items, [
      { address: "thing.a", type: "thing", action: "Changed", changed: ["b"] },
      { address: "thing.b", type: "thing", action: "Gone", changed: [] },
    ]);
  });

  it("of 6,000 resources is read quickly and reported bounded", () => {
    const before = { id: "x", tags: { a: "b" }, text: "y".repeat(2000) };
    const change = { actions: ["update"], before, after: { ...before, tags: { a: "c" } }, after_unknown: {} };
    const document = aPlan(Array.from({ length: 6000 }, () => ({ change })));
    const began = performance.now();
    const report = readPlan(document, 50);
    const took = performance.now() - began;
    assert.ok(took < 1500, `took ${took} ms`);
    assert.deepEqual(
      [report.resources.items.length, report.resources.total, report.resources.truncated],
      [50, 6000, true],
    );
    assert.deepEqual(report.resources.items[0]?.changed, ["tags"]);
  });

  it("that is none, or that failed, is refused", () => {
    for (const wrong of [null, 3, {}, { format_version: "9.0" }, aPlan([], { errored: true })]) {
      assert.throws(() => readPlan(wrong), NotAPlan);
    }
  });
});
