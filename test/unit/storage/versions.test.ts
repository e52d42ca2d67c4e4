import assert from "node:assert/strict";
import fc from "fast-check";
import { changeRecord } from "../../../operator/storage/change.ts";
import { claim } from "../../../operator/storage/claims.ts";
import { acquireLock, fence } from "../../../operator/storage/locking.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import type { StateVersion } from "../../../operator/storage/record.ts";
import { recoverState } from "../../../operator/storage/recovery.ts";
import { isRefused } from "../../../operator/storage/refusal.ts";
import { retained } from "../../../operator/storage/retention.ts";
import { readState, writeState } from "../../../operator/storage/versions.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { AT, aPod, aState, ENVIRONMENT_UID, fencedRun, NETWORK, tellToApply } from "./claimants.ts";

async function aLockedStore({ isApplying = true } = {}) {
  const store = memoryStore();
  await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
  const pod = aPod(1);
  await changeRecord(store, NETWORK, (record) => claim(record, pod, AT));
  if (isApplying) await tellToApply(store, pod);
  await acquireLock(store, pod, { id: "lock", operation: "" }, AT);
  const write = (content: Buffer, lockId = "lock") => writeState(store, pod, lockId, content, AT);
  const record = async () => {
    const found = await store.record(NETWORK);
    assert.ok(found);
    return found.value;
  };
  return { store, pod, write, record };
}

const refused = (code: string) => (error: unknown) => isRefused(error) && error.code === code;

describe("writing a state", () => {
  it("accepts higher serials and repetitions, and nothing else", async () => {
    const { write, record } = await aLockedStore();
    assert.equal(await write(aState({ serial: 3 })), "new");
    assert.equal(await write(aState({ serial: 3 })), "repeated");
    await assert.rejects(write(aState({ serial: 3, resources: ["other"] })), refused("SerialWentBack"));
    await assert.rejects(write(aState({ serial: 2 })), refused("SerialWentBack"));
    await assert.rejects(write(aState({ serial: 4, lineage: "other" })), refused("LineageDiffers"));
    await assert.rejects(write(aState({ serial: 4 }), "another lock"), refused("LockMismatch"));
    await assert.rejects(write(Buffer.from("{}")), refused("NotAState"));
    assert.equal((await record()).state?.serial, 3);
  });

  it("is refused to whoever only plans, with its claim and its lock, and leaves nothing", async () => {
    const { store, pod, write, record } = await aLockedStore({ isApplying: false });
    await assert.rejects(write(aState({ serial: 1 })), refused("NotApplying"));
    assert.deepEqual([(await record()).state, store.blobIds()], [undefined, []]);
    await tellToApply(store, pod);
    assert.equal(await write(aState({ serial: 1 })), "new");
  });

  it("leaves no blob behind that nobody refers to", async () => {
    const { store, write, record } = await aLockedStore();
    for (let serial = 1; serial <= 8; serial += 1) await write(aState({ serial }));
    await assert.rejects(write(aState({ serial: 1 })));
    const { history } = await record();
    assert.deepEqual(
      history.map(({ serial }) => serial),
      [7, 6, 5],
    );
    assert.equal(store.blobIds().length, 4);
  });

  it("never deletes the blob of a write whose answer was lost", async () => {
    const { store, write, record } = await aLockedStore();
    store.faults = {
      after: (call) => {
        if (call === "updateRecord") throw new Error("the answer was lost");
      },
    };
    await assert.rejects(write(aState({ serial: 1 })), /answer was lost/);
    store.faults = {};
    assert.deepEqual(await readState(store, await record()), aState({ serial: 1 }));
    assert.equal(await write(aState({ serial: 1 })), "repeated");
  });

  it("is refused after fencing, also where the blob was on its way already", async () => {
    const { store, pod, write, record } = await aLockedStore();
    store.faults = {
      after: async (call) => {
        if (call !== "putBlob") return;
        store.faults = {};
        await fence(store, NETWORK, fencedRun(pod), "its pod is dead", AT);
      },
    };
    await assert.rejects(write(aState({ serial: 1 })), refused("Fenced"));
    assert.equal((await record()).state, undefined);
    assert.deepEqual(store.blobIds(), []);
  });
});

describe("a state that the engine could not hand over", () => {
  it("becomes the head where it follows it and nobody else may write", async () => {
    const { store, pod, write, record } = await aLockedStore();
    await write(aState({ serial: 1 }));
    assert.equal(await recoverState(store, pod, aState({ serial: 2 }), AT), "stored");
    assert.equal(await recoverState(store, pod, aState({ serial: 2 }), AT), "stored");
    assert.equal((await record()).state?.serial, 2);
    assert.equal((await record()).recovery, undefined);
  });

  it("becomes the head although the Run was fenced, as long as no later one has come", async () => {
    const { store, pod, write, record } = await aLockedStore();
    await write(aState({ serial: 5 }));
    await fence(store, NETWORK, fencedRun(pod), "its pod is dead", AT);
    assert.equal(await recoverState(store, pod, aState({ serial: 6 }), AT), "stored");
    await changeRecord(store, NETWORK, (found) => claim(found, aPod(2), AT));
    await assert.rejects(recoverState(store, pod, aState({ serial: 7 }), AT), refused("Fenced"));
    assert.equal((await record()).state?.serial, 6);
  });

  it("is not taken from whoever only planned, neither as the head nor as a copy that a person might restore", async () => {
    const { store, pod, record } = await aLockedStore({ isApplying: false });
    const contents = [aState({ serial: 1 }), aState({ serial: 1, lineage: "another" }), Buffer.from("half a st")];
    const mustBeRefused = async () => {
      for (const content of contents)
        await assert.rejects(recoverState(store, pod, content, AT), refused("NotApplying"));
    };
    await mustBeRefused();
    await fence(store, NETWORK, fencedRun(pod), "its pod is dead", AT);
    await mustBeRefused();
    const { state, recovery } = await record();
    assert.deepEqual([state, recovery, store.blobIds()], [undefined, undefined, []]);
  });

  it("is kept for a person otherwise, and keeps the next Run from planning", async () => {
    const { store, pod, write, record } = await aLockedStore();
    await write(aState({ serial: 5 }));
    await fence(store, NETWORK, fencedRun(pod), "its pod is dead", AT);
    const foreign = aState({ serial: 6, lineage: "another" });
    assert.equal(await recoverState(store, pod, foreign, AT), "kept");
    assert.equal(await recoverState(store, pod, foreign, AT), "kept");
    assert.equal((await record()).state?.serial, 5);
    assert.equal((await record()).recovery?.run, pod.run);
    const next = changeRecord(store, NETWORK, (found) => claim(found, aPod(2), AT));
    await assert.rejects(next, refused("StateUnsaved"));
    await assert.rejects(recoverState(store, aPod(2), aState({ serial: 9 }), AT), refused("Fenced"));
  });

  it("need not be a state at all to be kept", async () => {
    const { store, pod, record } = await aLockedStore();
    assert.equal(await recoverState(store, pod, Buffer.from("half a st"), AT), "kept");
    assert.ok((await record()).recovery);
  });

  it("takes the place of a copy that is cut off, and is not replaced by one", async () => {
    const { store, pod, write, record } = await aLockedStore();
    await write(aState({ serial: 5 }));
    const whole = aState({ serial: 6, lineage: "another" });
    for (const content of [Buffer.from("half a st"), whole, Buffer.alloc(0)])
      assert.equal(await recoverState(store, pod, content, AT), "kept");
    const found = await store.record(NETWORK);
    const kept = (await record()).recovery?.blob;
    assert.ok(found !== undefined && kept !== undefined);
    assert.ok((await store.getBlob(found.value, kept)).equals(whole));
  });

  it("takes the place of a copy that is damaged, whatever it is", async () => {
    const { store, pod, write, record } = await aLockedStore();
    await write(aState({ serial: 5 }));
    assert.equal(await recoverState(store, pod, aState({ serial: 6, lineage: "another" }), AT), "kept");
    const copy = (await record()).recovery?.blob ?? assert.fail();
    await store.deleteBlob(await record(), copy);
    assert.equal(await recoverState(store, pod, Buffer.from("half a st"), AT), "kept");
    const kept = (await record()).recovery?.blob ?? assert.fail();
    assert.equal((await store.getBlob(await record(), kept)).toString(), "half a st");
  });
});

describe("which versions are kept", () => {
  const version = (run: string, serial: number): StateVersion => ({
    lineage: "l",
    serial,
    resources: 0,
    blob: { id: String(serial), kind: "state", digest: "", size: 0, chunks: 1 },
    run,
    at: "",
  });

  it("the last of each of the last ten Runs, and the newest three of the rest", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 30 }), (perRun) => {
        const all = perRun.flatMap((count, run) =>
          Array.from({ length: count }, (_, at) => version(`r${run}`, run * 10 + at)),
        );
        let kept: readonly StateVersion[] = [];
        for (const [at, head] of all.entries()) {
          const former = all[at - 1];
          kept = former === undefined ? [] : retained(head, [former, ...kept]);
        }
        const lastOfEach = perRun
          .map((count, run) => run * 10 + count - 1)
          .reverse()
          .slice(1, 10);
        const serials = kept.map(({ serial }) => serial);
        for (const serial of lastOfEach) assert.ok(serials.includes(serial), `serial ${serial} is kept`);
        assert.ok(kept.length <= 12);
        assert.deepEqual(
          serials,
          [...serials].sort((a, b) => b - a),
        );
      }),
    );
  });
});
