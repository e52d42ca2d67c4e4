import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { RUNS } from "../../../operator/cluster/resources.ts";
import { stateObject } from "../../../operator/state-api/state-object.ts";
import { postUnlock } from "../../../operator/state-api/writing.ts";
import { changeRecord } from "../../../operator/storage/change.ts";
import { claim } from "../../../operator/storage/claims.ts";
import { acquireLock } from "../../../operator/storage/locking.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { AT, aPod, ENVIRONMENT_UID, NETWORK } from "../storage/claimants.ts";

const pod = aPod(1);

/** The pod of Run 1 has the lock, and that Run is so by now; absent where it is gone. */
async function aLock(status: object | undefined, uid = pod.runUid) {
  const made = await aClaim(status, uid);
  await acquireLock(made.store, pod, { id: "lock", operation: "" }, AT);
  return made;
}

/** As `aLock`, before the engine has taken the lock. */
async function aClaim(status: object | undefined, uid = pod.runUid) {
  const store = memoryStore();
  await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
  await changeRecord(store, NETWORK, (record) => claim(record, pod, AT));
  const run = status === undefined ? undefined : ({ metadata: { name: pod.run, uid }, status } as Run);
  const find = async (kind: unknown, namespace: unknown, name: unknown) =>
    kind === RUNS && namespace === NETWORK.namespace && name === pod.run ? run : undefined;
  const context = { store, client: { find }, clock: { now: () => AT }, tell: () => {} } as never;
  const unlock = (lock: string) =>
    postUnlock({
      context,
      key: NETWORK,
      person: { name: "jane", groups: [] },
      query: {},
      reserve: () => {},
      body: Buffer.from(JSON.stringify({ lock })),
      signal: AbortSignal.timeout(10_000),
    });
  const record = async () => {
    const found = await store.record(NETWORK);
    assert.ok(found);
    return found.value;
  };
  return { store, unlock, record };
}

describe("a lock that a person asks the API to release", () => {
  it("stays while its Run is open: the death of its pod is confirmed there", async () => {
    const { unlock, record } = await aLock({ phase: "Planning" });
    await assert.rejects(unlock("lock"), /kubectl annotate run shop-network-1 .*confirm-dead=pod-uid-1/);
    assert.equal((await record()).lock?.id, "lock");
  });

  it("goes where its Run has ended, is gone, or gave its name to another; nothing that is left of it may write", async () => {
    for (const { unlock, record } of [
      await aLock({ phase: "Succeeded" }),
      await aLock(undefined),
      await aLock({ phase: "Planning" }, "another"),
    ]) {
      await unlock("lock");
      const { lock, claim } = await record();
      assert.equal(lock, undefined);
      assert.match(claim?.fenced?.why ?? "", /jane released/);
    }
  });
});

describe("a claim without a lock that a person asks the API to release", () => {
  it("stays while its Run is open, and goes where that has ended or is gone: its id is shown", async () => {
    const living = await aClaim({ phase: "Planning" });
    const { id } = stateObject(await living.record()).status.claim ?? {};
    assert.equal(id, pod.podUid);
    await assert.rejects(living.unlock(id), /Run shop-network-1 holds the claim\. .*confirm-dead=pod-uid-1/);
    assert.equal((await living.record()).claim?.fenced, undefined);
    for (const { unlock, record } of [await aClaim({ phase: "Failed" }), await aClaim(undefined)]) {
      await unlock(id);
      const after = await record();
      assert.match(after.claim?.fenced?.why ?? "", /jane released its claim/);
      assert.equal(stateObject(after).status.claim, undefined);
    }
  });
});
