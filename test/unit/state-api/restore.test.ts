import assert from "node:assert/strict";
import { statusFor } from "../../../operator/state-api/status.ts";
import { postRestore } from "../../../operator/state-api/writing.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aRecord } from "../../fakes/objects.ts";
import { AT, aState, NETWORK } from "../storage/claimants.ts";

/** A state whose last Run left a recovery copy that cannot be read. */
async function aBrokenCopy() {
  const store = memoryStore();
  const record = aRecord(NETWORK.component, { key: NETWORK });
  const at = AT.toISOString();
  const blob = await store.putBlob(record, "state", aState({ serial: 3 }));
  const half = await store.putBlob(record, "recovery", Buffer.from("half a sta"));
  const state = { lineage: "lineage", serial: 3, resources: 0, blob, run: "shop-network-1", at };
  store.seed({ ...record, state, recovery: { blob: half, run: "shop-network-2", at } });
  const context = {
    store,
    client: { find: async () => undefined },
    clock: { now: () => AT },
    tell: () => {},
  } as never;
  const restore = (body: object) =>
    postRestore({
      context,
      key: NETWORK,
      person: { name: "jane", groups: [] },
      query: {},
      reserve: () => {},
      body: Buffer.from(JSON.stringify(body)),
      signal: AbortSignal.timeout(10_000),
    });
  return { store, restore };
}

describe("A restore while the recovery copy cannot be read", () => {
  for (const chosen of [{ serial: 3 }, { recovery: true }])
    it(`is a conflict that names the way out: ${JSON.stringify(chosen)}`, async () => {
      const { restore } = await aBrokenCopy();
      const error = await restore(chosen).catch((thrown: unknown) => thrown);
      const { code, body } = statusFor(error);
      assert.equal(code, 409);
      assert.match(JSON.stringify(body), /with force \(--force\), which gives the copy up/);
    });

  it("gives that up with force", async () => {
    const { store, restore } = await aBrokenCopy();
    await restore({ serial: 3, force: true });
    const after = (await store.record(NETWORK))?.value;
    assert.deepEqual([after?.state?.serial, after?.recovery], [4, undefined]);
  });
});
