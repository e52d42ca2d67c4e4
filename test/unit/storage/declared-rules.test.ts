import assert from "node:assert/strict";
import type { OwnRules } from "../../../operator/api/own-rules.ts";
import { concluded } from "../../../operator/storage/conclusion.ts";
import { noteRules } from "../../../operator/storage/declared-rules.ts";
import { lastRulesOf } from "../../../operator/storage/record.ts";
import { rename } from "../../../operator/storage/rename.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { AT, aPod, ENVIRONMENT_UID, NETWORK } from "./claimants.ts";
import { aRecordsStory } from "./records-story.ts";

const protecting: OwnRules = { protect: ["aws_db_instance"] };

/** A component that was applied without rules of its own, how often its record was written since, and a way to declare rules. */
async function anAppliedRecord() {
  const story = await aRecordsStory();
  await story.asks(1);
  await story.ends(1, "Applied");
  let writes = 0;
  story.store.faults.before = (call) => {
    if (call === "updateRecord") writes += 1;
  };
  const note = (rules: OwnRules, uid = ENVIRONMENT_UID) => noteRules(story.store, NETWORK, uid, rules);
  return { ...story, note, writes: () => writes };
}

describe("The rules that a record remembers", () => {
  it("are those that were declared last, written once", async () => {
    const { note, record, writes } = await anAppliedRecord();
    await note(protecting);
    await note(protecting);
    assert.deepEqual((await record()).declaredRules, protecting);
    assert.equal(writes(), 1);
  });

  it("are not kept twice: what was applied tells of its own", async () => {
    const { note, record, writes } = await anAppliedRecord();
    await note({});
    assert.equal(writes(), 0);
    await note(protecting);
    await note({});
    assert.equal("declaredRules" in (await record()), false);
    assert.deepEqual(lastRulesOf(await record()).protect, undefined);
  });

  it("are none, which is not the same as unknown, where those that were applied are lifted", async () => {
    const { note, record, change } = await anAppliedRecord();
    await change(({ applied, ...old }) => {
      assert.ok(applied);
      return { ...old, applied: { ...applied, inputs: { ...applied.inputs, ...protecting } } };
    });
    assert.deepEqual(lastRulesOf(await record()).protect, protecting.protect);
    await note({});
    assert.deepEqual((await record()).declaredRules, {});
    assert.deepEqual(lastRulesOf(await record()), {});
  });

  it("hold no more of a declaration than its rules", async () => {
    const { note, record } = await anAppliedRecord();
    await note({ ...protecting, name: "network" } as OwnRules);
    assert.deepEqual((await record()).declaredRules, protecting);
  });

  it("stay through an apply with others, and go with an apply that has them", async () => {
    const { note, record, asks, ends, change } = await anAppliedRecord();
    await note(protecting);
    await asks(2);
    await ends(2, "Applied");
    assert.deepEqual((await record()).declaredRules, protecting);
    await asks(3);
    await change(({ attempted, ...old }) => {
      assert.ok(attempted);
      return { ...old, attempted: { ...attempted, inputs: { ...attempted.inputs, ...protecting } } };
    });
    const { attempted } = await record();
    assert.ok(attempted);
    const outcome = { result: "Applied", reason: "Applied", message: "" } as const;
    const conclusion = { operation: "Apply", outcome, intent: attempted, outputs: [] } as const;
    await change((old) => concluded(old, aPod(3), conclusion, AT).next ?? assert.fail());
    assert.equal("declaredRules" in (await record()), false);
    assert.deepEqual(lastRulesOf(await record()).protect, protecting.protect);
  });

  it("go when all that was made is gone", async () => {
    const { note, record, asks, change } = await anAppliedRecord();
    await note(protecting);
    await asks(2, { operation: "Destroy" });
    const outcome = { result: "Destroyed", reason: "Destroyed", message: "" } as const;
    const conclusion = { operation: "Destroy", outcome, outputs: [] } as const;
    await change((old) => concluded(old, aPod(2), conclusion, AT).next ?? assert.fail());
    assert.equal("declaredRules" in (await record()), false);
  });

  it("are decided anew on what another writer has left", async () => {
    const { store, note, record, change } = await anAppliedRecord();
    store.faults.before = async (call) => {
      if (call !== "updateRecord") return;
      store.faults = {};
      await change((old) => ({ ...old, createdAt: "meanwhile" }));
    };
    await note(protecting);
    const { createdAt, declaredRules } = await record();
    assert.deepEqual([createdAt, declaredRules], ["meanwhile", protecting]);
  });

  it("are not written where the state is another's, given up, on its way, holds nothing, or is not there", async () => {
    const { note, change, writes } = await anAppliedRecord();
    await note(protecting, "other-uid");
    await change((old) => ({ ...old, ownership: "Released" }));
    await note(protecting);
    await change((old) => ({ ...old, ownership: "Owned", movingTo: "net" }));
    await note(protecting);
    await change(({ movingTo: _arrived, ...old }) => ({ ...old, mayHoldObjects: false }));
    await note(protecting);
    assert.equal(writes(), 3, "the test's own");
    await noteRules(memoryStore(), NETWORK, ENVIRONMENT_UID, protecting);
  });

  it("move with the state to another name", async () => {
    const { store, note } = await anAppliedRecord();
    await note(protecting);
    const to = { ...NETWORK, component: "net" };
    assert.equal(await rename(store, NETWORK, to, ENVIRONMENT_UID), "moved");
    assert.deepEqual((await store.record(to))?.value.declaredRules, protecting);
  });
});
