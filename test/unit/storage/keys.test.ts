import assert from "node:assert/strict";
import { SECRETS } from "../../../operator/cluster/resources.ts";
import { KEY_SECRET, openKeyRing } from "../../../operator/storage/keys.ts";
import { KeyMissing, StoreCorrupt } from "../../../operator/storage/port.ts";
import { createSecretStore } from "../../../operator/storage/secret-store.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { aRecord } from "./store-contract.ts";

const namespace = "terrarium-system";

describe("the key ring", () => {
  it("is made once, even when two replicas start at the same moment", async () => {
    const client = fakeKubeClient();
    const [one, two] = await Promise.all([openKeyRing(client, namespace), openKeyRing(client, namespace)]);
    assert.equal(one.activeId, two.activeId);
    assert.equal(two.open(one.seal(Buffer.from("x"), "a"), "a").toString(), "x");
    assert.deepEqual(one.derive("session"), two.derive("session"));
  });

  it("gives each purpose another key", async () => {
    const ring = await openKeyRing(fakeKubeClient(), namespace);
    assert.notDeepEqual(ring.derive("session"), ring.derive("order"));
    assert.equal(ring.derive("session").length, 32);
  });

  it("opens nothing as something else, and nothing that was altered", async () => {
    const ring = await openKeyRing(fakeKubeClient(), namespace);
    const sealed = ring.seal(Buffer.from("content"), "record a");
    assert.throws(() => ring.open(sealed, "record b"), StoreCorrupt);
    for (const at of [0, 3, 12, 25, sealed.length - 1]) {
      const altered = Buffer.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ 1;
      assert.throws(() => ring.open(altered, "record a"));
    }
    assert.throws(() => ring.open(sealed.subarray(0, 20), "record a"), StoreCorrupt);
  });

  it("is never made anew where something is stored", async () => {
    const client = fakeKubeClient();
    const ring = await openKeyRing(client, namespace);
    await createSecretStore({ client, namespace, ring }).createRecord(aRecord());
    await client.delete(SECRETS, namespace, KEY_SECRET);
    await assert.rejects(openKeyRing(client, namespace), (error) => {
      assert.ok(error instanceof KeyMissing);
      assert.equal(error.keyId, ring.activeId);
      return true;
    });
  });
});
