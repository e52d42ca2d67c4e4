import assert from "node:assert/strict";
import { changeRecord } from "../../../operator/storage/change.ts";
import { claim } from "../../../operator/storage/claims.ts";
import { acquireLock, fence } from "../../../operator/storage/locking.ts";
import { ensureRecord, forget, release } from "../../../operator/storage/ownership.ts";
import type { StateStore } from "../../../operator/storage/port.ts";
import { isRefused } from "../../../operator/storage/refusal.ts";
import { rename } from "../../../operator/storage/rename.ts";
import { readState, writeState } from "../../../operator/storage/versions.ts";
import { type MemoryStore, memoryStore } from "../../fakes/memory-store.ts";
import { AT, aPod, aState, ENVIRONMENT_UID, fencedRun, NETWORK, tellToApply } from "./claimants.ts";

const RENAMED = { ...NETWORK, component: "net" };
const OTHER_UID = "other-uid";

/** A component with a state, whose Run has ended. */
async function anAppliedStore(): Promise<MemoryStore> {
  const store = memoryStore();
  await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
  await workOn(store, 1);
  await changeRecord(store, NETWORK, (record) => ({ next: { ...record, mayHoldObjects: true }, answer: undefined }));
  return store;
}

async function workOn(store: StateStore, serial: number): Promise<void> {
  const pod = aPod(serial);
  await changeRecord(store, NETWORK, (record) => claim(record, pod, AT));
  await tellToApply(store, pod);
  await acquireLock(store, pod, { id: "lock", operation: "" }, AT);
  await writeState(store, pod, "lock", aState({ serial, resources: ["vpc"] }), AT);
  await fence(store, NETWORK, fencedRun(pod), "its result has come", AT);
}

const refused =
  (...codes: Parameters<typeof isRefused>[1][]) =>
  (error: unknown) =>
    isRefused(error, ...codes);

describe("who owns a state", () => {
  it("is the first Environment that asks, for good", async () => {
    const store = memoryStore();
    const first = await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
    const again = await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
    assert.deepEqual(first, again);
    assert.deepEqual(await ensureRecord(store, NETWORK, OTHER_UID), { type: "ownedByOther", uid: ENVIRONMENT_UID });
  });

  it("is one of two that ask at once", async () => {
    const store = memoryStore();
    const answers = await Promise.all([OTHER_UID, ENVIRONMENT_UID].map((uid) => ensureRecord(store, NETWORK, uid)));
    assert.deepEqual(answers.map(({ type }) => type).sort(), ["owned", "ownedByOther"]);
  });

  it("becomes whoever comes after a release, with all that there is", async () => {
    const store = await anAppliedStore();
    await release(store, NETWORK, ENVIRONMENT_UID);
    await release(store, NETWORK, ENVIRONMENT_UID);
    const taken = await ensureRecord(store, NETWORK, OTHER_UID);
    assert.equal(taken.type, "owned");
    const record = (await store.record(NETWORK))?.value;
    assert.equal(record?.owner.environmentUid, OTHER_UID);
    assert.equal(record?.state?.serial, 1);
    assert.equal(record?.mayHoldObjects, true);
    assert.equal(record?.claim, undefined);
  });

  it("becomes whoever names the former owner", async () => {
    const store = await anAppliedStore();
    assert.equal((await ensureRecord(store, NETWORK, OTHER_UID, { adoptUid: "wrong" })).type, "ownedByOther");
    assert.equal((await ensureRecord(store, NETWORK, OTHER_UID, { adoptUid: ENVIRONMENT_UID })).type, "owned");
  });

  it("does not change while a Run may write", async () => {
    const store = await anAppliedStore();
    await changeRecord(store, NETWORK, (record) => claim(record, aPod(2), AT));
    assert.equal((await ensureRecord(store, NETWORK, OTHER_UID, { adoptUid: ENVIRONMENT_UID })).type, "inUse");
    await assert.rejects(release(store, NETWORK, ENVIRONMENT_UID), refused("InUse"));
  });
});

describe("forgetting a state", () => {
  it("is refused while objects may exist, and takes everything along once they are released", async () => {
    const store = await anAppliedStore();
    await assert.rejects(forget(store, NETWORK, ENVIRONMENT_UID), refused("MayHoldObjects"));
    await assert.rejects(forget(store, NETWORK, OTHER_UID), refused("NotYourRun"));
    await release(store, NETWORK, ENVIRONMENT_UID);
    assert.equal(await forget(store, NETWORK, ENVIRONMENT_UID), true);
    assert.equal(await forget(store, NETWORK, ENVIRONMENT_UID), false);
    assert.deepEqual([store.records(), store.blobIds()], [[], []]);
  });
});

describe("renaming a component", () => {
  it("moves the record and leaves the state readable", async () => {
    const store = await anAppliedStore();
    assert.equal(await rename(store, NETWORK, RENAMED, ENVIRONMENT_UID), "moved");
    assert.equal(await rename(store, NETWORK, RENAMED, ENVIRONMENT_UID), "nothing");
    const moved = (await store.record(RENAMED))?.value;
    assert.ok(moved);
    assert.deepEqual(await readState(store, moved), aState({ serial: 1, resources: ["vpc"] }));
    assert.equal(moved.claim, undefined, "the first Run of the new name may claim, whatever its number");
  });

  it("remembers the names that it had, the latest sixteen of them", async () => {
    const store = await anAppliedStore();
    const names = ["net", "network", ...Array.from({ length: 16 }, (_, index) => `net-${index}`)];
    let from = NETWORK;
    const move = async (component: string) => {
      const to = { ...NETWORK, component };
      await rename(store, from, to, ENVIRONMENT_UID);
      from = to;
      return (await store.record(to))?.value.formerNames;
    };
    const after: (readonly string[] | undefined)[] = [];
    for (const name of names) after.push(await move(name));
    assert.deepEqual(after.slice(0, 3), [["network"], ["network", "net"], ["net", "network"]]);
    assert.deepEqual(after.at(-1), ["network", ...names.slice(2, -1)]);
  });

  it("moves what was released, too: whoever has the new name takes it over", async () => {
    const store = await anAppliedStore();
    await release(store, NETWORK, ENVIRONMENT_UID);
    assert.equal(await rename(store, NETWORK, RENAMED, ENVIRONMENT_UID), "moved");
    const taken = await ensureRecord(store, RENAMED, ENVIRONMENT_UID);
    assert.equal(taken.type === "owned" && taken.record.value.state?.serial, 1);
  });

  it("takes the place of a record that nobody has used, and of no other", async () => {
    const store = await anAppliedStore();
    await ensureRecord(store, RENAMED, ENVIRONMENT_UID);
    assert.equal(await rename(store, NETWORK, RENAMED, ENVIRONMENT_UID), "moved");
    await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
    await changeRecord(store, NETWORK, (record) => ({ next: { ...record, mayHoldObjects: true }, answer: undefined }));
    await assert.rejects(rename(store, NETWORK, RENAMED, ENVIRONMENT_UID), refused("NameTaken"));
  });

  it("is finished by the next try, wherever the first was cut off", async () => {
    for (const moment of ["before", "after"] as const) {
      for (let nth = 1; ; nth += 1) {
        const store = await anAppliedStore();
        let calls = 0;
        store.faults = {
          [moment]: () => {
            calls += 1;
            if (calls === nth) throw new Error("killed");
          },
        };
        const cut = await rename(store, NETWORK, RENAMED, ENVIRONMENT_UID).then(
          () => false,
          () => true,
        );
        store.faults = {};
        if (!cut) break;
        const between = await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
        assert.ok(between.type === "owned" || between.type === "moving");
        await rename(store, NETWORK, RENAMED, ENVIRONMENT_UID);
        assert.deepEqual(
          store
            .records()
            .map(({ key }) => key.component)
            .filter((name) => name === "net"),
          ["net"],
        );
        const moved = (await store.record(RENAMED))?.value;
        assert.equal(moved?.state?.serial, 1, `cut off ${moment} call ${nth}`);
        assert.equal(moved?.movingTo, undefined);
        assert.ok(await readState(store, moved));
      }
    }
  });

  it("keeps everybody from the old name while it is under way", async () => {
    const store = await anAppliedStore();
    await changeRecord(store, NETWORK, (record) => ({ next: { ...record, movingTo: "net" }, answer: undefined }));
    assert.deepEqual(await ensureRecord(store, NETWORK, ENVIRONMENT_UID), { type: "moving", to: "net" });
    await assert.rejects(
      changeRecord(store, NETWORK, (record) => claim(record, aPod(2), AT)),
      refused("Moving"),
    );
    await assert.rejects(forget(store, NETWORK, ENVIRONMENT_UID), refused("Moving"));
  });
});
