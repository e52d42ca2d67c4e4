import assert from "node:assert/strict";
import { blobFor, pushState, restoreState, unlockedByHand, versionsOf } from "../../../operator/storage/by-hand.ts";
import { changeRecord } from "../../../operator/storage/change.ts";
import { claim } from "../../../operator/storage/claims.ts";
import { acquireLock, fence } from "../../../operator/storage/locking.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import { recoverState } from "../../../operator/storage/recovery.ts";
import { isRefused } from "../../../operator/storage/refusal.ts";
import { readState, writeState } from "../../../operator/storage/versions.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { AT, aPod, aState, ENVIRONMENT_UID, fencedRun, NETWORK, tellToApply } from "./claimants.ts";

const LATER = new Date("2030-01-02T00:00:00Z");
const jane = { by: "jane", at: LATER, force: false, newestRun: 1, begun: false };
const forced = { ...jane, force: true };
const refused = (code: string) => (error: unknown) => isRefused(error) && error.code === code;

/** A component whose first Run stored these states and has ended. */
async function aStore(...contents: readonly Buffer[]) {
  const store = memoryStore();
  await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
  const pod = aPod(1);
  await changeRecord(store, NETWORK, (record) => claim(record, pod, AT));
  await tellToApply(store, pod);
  await acquireLock(store, pod, { id: "lock", operation: "" }, AT);
  for (const content of contents) await writeState(store, pod, "lock", content, AT);
  const end = () => fence(store, NETWORK, fencedRun(pod), "its result was reported", AT);
  const record = async () => {
    const found = await store.record(NETWORK);
    assert.ok(found);
    return found.value;
  };
  const content = async () => JSON.parse((await readState(store, await record()))?.toString() ?? "{}");
  const serials = async () => versionsOf(await record()).map(({ serial }) => serial);
  return { store, pod, end, record, content, serials };
}

describe("a state that a person pushes", () => {
  it("follows the stored one, and says who stored it and which Run had claimed it last", async () => {
    const { store, end, record, serials } = await aStore(aState({ serial: 3 }));
    await end();
    await pushState(store, NETWORK, aState({ serial: 5, resources: ["a"] }), jane);
    const { state, written, mayHoldObjects } = await record();
    assert.deepEqual([state?.serial, state?.by, state?.resources], [5, "jane", 1]);
    assert.deepEqual(written, {
      how: "Push",
      by: "jane",
      at: LATER.toISOString(),
      serial: 5,
      after: 1,
      newestRun: 1,
      replaced: true,
    });
    assert.equal(mayHoldObjects, true);
    assert.deepEqual(await serials(), [5, 3]);
  });

  it("is not replaced by what a Run that was ended hands over late: that waits for a person", async () => {
    const { store, pod, end, record } = await aStore(aState({ serial: 3 }));
    await end();
    await pushState(store, NETWORK, aState({ serial: 5 }), jane);
    assert.equal(await recoverState(store, pod, aState({ serial: 6, resources: ["late"] }), LATER), "kept");
    const { state, recovery } = await record();
    assert.deepEqual([state?.serial, recovery?.run], [5, pod.run]);
  });

  it("may be the very same again, and makes no version then", async () => {
    const { store, end, record, serials } = await aStore(aState({ serial: 3 }));
    await end();
    await pushState(store, NETWORK, aState({ serial: 3 }), jane);
    assert.deepEqual(await serials(), [3]);
    assert.equal((await record()).written?.replaced, undefined, "nothing follows from it");
    assert.equal(store.blobIds().length, 1);
  });

  it("is refused with a lower serial, another lineage, or empty over full; force takes each, and no serial comes twice", async () => {
    const stored = aState({ serial: 7, resources: ["a"] });
    const cases = [
      ["SerialWentBack", aState({ serial: 4, resources: ["b"] })],
      ["SerialWentBack", aState({ serial: 7, resources: ["b"] })],
      ["LineageDiffers", aState({ serial: 9, lineage: "another", resources: ["b"] })],
      ["WouldEmpty", aState({ serial: 9 })],
    ] as const;
    for (const [code, content] of cases) {
      const { store, end, serials, content: newest } = await aStore(stored);
      await end();
      await assert.rejects(pushState(store, NETWORK, content, jane), refused(code));
      assert.equal(store.blobIds().length, 1, "nothing is left behind");
      await pushState(store, NETWORK, content, forced);
      const { serial: given, ...rest } = JSON.parse(content.toString());
      const { serial, ...kept } = await newest();
      assert.deepEqual(kept, rest, "nothing else is touched");
      assert.equal(serial, given > 7 ? given : 8);
      assert.deepEqual(await serials(), [serial, 7]);
    }
  });

  it("is refused while a Run holds the lock, or has claimed and not ended; the holder is named", async () => {
    const { store, pod, end } = await aStore(aState({ serial: 3 }));
    await assert.rejects(pushState(store, NETWORK, aState({ serial: 4 }), forced), (error) => {
      return refused("Locked")(error) && /shop-network-1 \(pod shop-network-1-p\)/.test(String(error));
    });
    await end();
    const next = aPod(2);
    await changeRecord(store, NETWORK, (record) => claim(record, next, AT));
    await assert.rejects(pushState(store, NETWORK, aState({ serial: 4 }), forced), refused("InUse"));
    await assert.rejects(restoreState(store, NETWORK, { serial: 3 }, jane), refused("InUse"));
    assert.ok(pod);
  });

  it("is refused where it is no state, and where there is no record", async () => {
    const { store, end } = await aStore(aState({ serial: 3 }));
    await end();
    await assert.rejects(pushState(store, NETWORK, Buffer.from("{}"), forced), refused("NotAState"));
    const other = { ...NETWORK, component: "other" };
    await assert.rejects(pushState(store, other, aState({ serial: 1 }), forced), refused("NotFound"));
  });

  it("loses no race: a Run that claims in the middle of it keeps the state", async () => {
    const { store, end, serials } = await aStore(aState({ serial: 3 }));
    await end();
    store.faults = {
      after: async (call) => {
        if (call !== "putBlob") return;
        store.faults = {};
        await changeRecord(store, NETWORK, (record) => claim(record, aPod(2), AT));
      },
    };
    await assert.rejects(pushState(store, NETWORK, aState({ serial: 4 }), jane), refused("InUse"));
    assert.deepEqual(await serials(), [3]);
    assert.equal(store.blobIds().length, 1);
  });
});

describe("a state that a person restores", () => {
  it("comes back under a serial above all others, and what was the newest is kept: it can be undone", async () => {
    const { store, end, content, serials } = await aStore(
      aState({ serial: 3, resources: ["old"] }),
      aState({ serial: 4, resources: ["new"] }),
    );
    await end();
    await restoreState(store, NETWORK, { serial: 3 }, jane);
    assert.equal((await content()).resources[0].name, "old");
    assert.deepEqual(await serials(), [5, 4, 3]);
    await restoreState(store, NETWORK, { serial: 4 }, jane);
    assert.equal((await content()).resources[0].name, "new");
    assert.deepEqual(await serials(), [6, 5, 4, 3]);
  });

  it("names what is kept where it is asked for something else", async () => {
    const { store, end, record } = await aStore(aState({ serial: 3 }));
    await end();
    await assert.rejects(restoreState(store, NETWORK, { serial: 2 }, jane), /kept are the serials 3/);
    await assert.rejects(restoreState(store, NETWORK, { recovery: true }, jane), /no recovery copy/);
    const { state } = await record();
    assert.equal(blobFor(await record(), { digest: state?.blob.digest ?? "" }).id, state?.blob.id);
  });

  it("is the recovery copy in one step, as it was where it follows what is stored", async () => {
    const { store, record, content } = await withRecovery(aState({ serial: 9, resources: ["a", "b"] }));
    await restoreState(store, NETWORK, { recovery: true }, jane);
    assert.equal((await record()).recovery, undefined);
    assert.deepEqual(await content(), JSON.parse(aState({ serial: 9, resources: ["a", "b"] }).toString()));
    assert.equal(store.blobIds().length, 2, "the copy itself is not kept twice");
  });

  it("keeps the recovery copy among the versions where something else is chosen", async () => {
    const { store, record, serials } = await withRecovery(aState({ serial: 9, lineage: "another" }));
    await restoreState(store, NETWORK, { serial: 3 }, jane);
    assert.equal((await record()).recovery, undefined);
    assert.deepEqual(await serials(), [4, 9, 3]);
    await restoreState(store, NETWORK, { serial: 9 }, jane);
    assert.equal((await record()).state?.lineage, "another");
  });

  const broken = {
    "is no state": async () => withRecovery(Buffer.from("half a sta")),
    "is damaged": async () => {
      const made = await withRecovery(aState({ serial: 9 }));
      const { recovery } = await made.record();
      assert.ok(recovery);
      await made.store.deleteBlob(await made.record(), recovery.blob);
      return made;
    },
  };
  for (const [what, make] of Object.entries(broken)) {
    it(`gives up a recovery copy that ${what} only by force, which each refusal names`, async () => {
      const { store, record, serials } = await make();
      for (const chosen of [{ serial: 3 }, { recovery: true }] as const)
        await assert.rejects(restoreState(store, NETWORK, chosen, jane), (error) => {
          return refused("StateUnsaved")(error) && /cannot be read as a state.*--force/.test(String(error));
        });
      await assert.rejects(pushState(store, NETWORK, aState({ serial: 5 }), jane), refused("StateUnsaved"));
      assert.ok((await record()).recovery);
      await restoreState(store, NETWORK, { serial: 3 }, forced);
      assert.equal((await record()).recovery, undefined);
      assert.deepEqual(await serials(), [4, 3]);
      assert.equal(store.blobIds().length, 2, "nothing of the copy is left");
    });
  }

  it("is no recovery copy that cannot be read, also by force: there is nothing to restore", async () => {
    const { store, record } = await withRecovery(Buffer.from("half a sta"));
    await assert.rejects(restoreState(store, NETWORK, { recovery: true }, forced), refused("StateUnsaved"));
    assert.ok((await record()).recovery);
  });

  it("keeps a recovery copy that can be read among the versions also where force is used", async () => {
    const { store, serials } = await withRecovery(aState({ serial: 9, lineage: "another" }));
    await restoreState(store, NETWORK, { serial: 3 }, forced);
    assert.deepEqual(await serials(), [4, 9, 3]);
  });

  /** A Run left this, and it could not become the state. */
  async function withRecovery(copy: Buffer) {
    const made = await aStore(aState({ serial: 3 }));
    await changeRecord(made.store, NETWORK, (record) => ({
      next: { ...record, lock: { ...(record.lock as NonNullable<typeof record.lock>), runUid: "other" } },
      answer: undefined,
    }));
    assert.equal(await recoverState(made.store, made.pod, copy, AT), "kept");
    await changeRecord(made.store, NETWORK, ({ lock: _lock, ...record }) => ({ next: record, answer: undefined }));
    await made.end();
    return made;
  }
});

describe("a lock that a person releases", () => {
  it("must be the one that was looked at; its Run can never write again", async () => {
    const { store, pod, record } = await aStore(aState({ serial: 3 }));
    const unlock = (id: string) => changeRecord(store, NETWORK, (found) => unlockedByHand(found, id, jane));
    await assert.rejects(unlock("another"), refused("LockMismatch"));
    await unlock("lock");
    assert.equal((await record()).lock, undefined);
    await assert.rejects(writeState(store, pod, "lock", aState({ serial: 4 }), AT), refused("Fenced"));
    await assert.rejects(unlock("lock"), refused("NotFound"));
  });

  it("may be a claim without a lock, named by its pod: then the next Run, another owner, or a push gets the state", async () => {
    const { store, end, record } = await aStore(aState({ serial: 3 }));
    await end();
    await changeRecord(store, NETWORK, (found) => claim(found, aPod(2), AT));
    const unlock = (id: string) => changeRecord(store, NETWORK, (found) => unlockedByHand(found, id, jane));
    const adopt = () => ensureRecord(store, NETWORK, "new-owner", { adoptUid: ENVIRONMENT_UID });
    assert.equal((await adopt()).type, "inUse");
    await assert.rejects(unlock("another"), refused("LockMismatch"));
    const { answer } = await unlock(aPod(2).podUid);
    assert.deepEqual([answer.by, answer.run, answer.pod], ["claim", "shop-network-2", "shop-network-2-p"]);
    await assert.rejects(unlock(aPod(2).podUid), refused("NotFound"));
    const now = await record();
    assert.throws(() => claim(now, aPod(2), AT), refused("Fenced"), "its Run can never write again");
    assert.equal(claim(now, aPod(3), AT).answer.number, 3);
    await pushState(store, NETWORK, aState({ serial: 4 }), jane);
    assert.equal((await adopt()).type, "owned");
  });

  it("is not found by the UID of its pod: that names a claim only", async () => {
    const { pod, record } = await aStore(aState({ serial: 3 }));
    const now = await record();
    assert.throws(() => unlockedByHand(now, pod.podUid, jane), refused("LockMismatch"));
  });
});
