import assert from "node:assert/strict";
import { isCurrent } from "../../../operator/storage/checked.ts";
import { withApplied, withNothingLeft } from "../../../operator/storage/conclusion.ts";
import { adopted, ensureRecord, release } from "../../../operator/storage/ownership.ts";
import { type ComponentRecord, isOnlyAdopted, isWhole } from "../../../operator/storage/record.ts";
import { renamed } from "../../../operator/storage/rename.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { appliedBy, aRecord, aRun } from "../../fakes/objects.ts";
import { runSpec } from "../run/observations.ts";
import { aPod, ENVIRONMENT_UID, NETWORK } from "./claimants.ts";

const OTHER_UID = "other-uid";
const appliedIn = (number: number) => appliedBy(aRun(runSpec({ number })));
/** What Run 4 of its owner has applied. */
const aComponent = (more: Partial<ComponentRecord> = {}): ComponentRecord =>
  aRecord("network", { key: NETWORK, applied: appliedIn(4), ...more });

async function aStore(record: ComponentRecord) {
  const store = memoryStore();
  await store.createRecord(record);
  return store;
}

describe("a record that is taken over", () => {
  it("says so, whoever had it and in whatever way it is taken", async () => {
    for (const [uid, options] of [
      [OTHER_UID, { adoptUid: ENVIRONMENT_UID }],
      [OTHER_UID, {}],
      [ENVIRONMENT_UID, {}],
    ] as const) {
      const store = await aStore(aComponent());
      if (!("adoptUid" in options)) await release(store, NETWORK, ENVIRONMENT_UID);
      const taken = await ensureRecord(store, NETWORK, uid, options);
      assert.ok(taken.type === "owned" && isOnlyAdopted(taken.record.value), uid);
      assert.deepEqual(await ensureRecord(store, NETWORK, uid), taken, "once");
    }
  });

  it("is not whole, and of its things as much may exist as before", () => {
    const record = adopted(aComponent(), OTHER_UID);
    assert.deepEqual([isWhole(aComponent()), isWhole(record)], [true, false]);
    assert.equal(record.mayHoldObjects, true);
    assert.equal(isCurrent(record, aPod(5, { environmentUid: OTHER_UID })), false, "a Check cannot speak about it");
    assert.equal(isWhole(renamed(record, { ...NETWORK, component: "net" })), false, "under another name, too");
  });

  for (const result of ["Applied", "Unchanged"] as const)
    it(`is its new owner's when a plan has ended as ${result}`, () => {
      const after = withApplied(adopted(aComponent(), OTHER_UID), appliedIn(5), result);
      assert.deepEqual([isWhole(after), after.adoptedApply], [true, undefined]);
    });

  it("has nothing to be looked at where nothing was applied, or all is destroyed", () => {
    const { applied: _applied, ...bare } = aComponent();
    assert.equal(adopted(bare, OTHER_UID).adoptedApply, undefined);
    assert.equal(withNothingLeft(adopted(aComponent(), OTHER_UID)).adoptedApply, undefined);
  });

  it("is whole after an apply that an older version has recorded, which leaves the mark where it is", () => {
    assert.equal(isWhole({ ...adopted(aComponent(), OTHER_UID), applied: appliedIn(5) }), true);
  });
});
