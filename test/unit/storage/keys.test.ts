import assert from "node:assert/strict";
import type { Secret } from "../../../operator/cluster/kinds.ts";
import { SECRETS } from "../../../operator/cluster/resources.ts";
import type { LiveKeyRing } from "../../../operator/storage/key-ring.ts";
import { KEY_SECRET, learnKeys, openKeyRing, rotateKey } from "../../../operator/storage/keys.ts";
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

  it("is rotated in two steps: every replica knows the new key before one seals with it", async () => {
    const client = fakeKubeClient();
    const [one, two] = await Promise.all([openKeyRing(client, namespace), openKeyRing(client, namespace)]);
    const old = one.seal(Buffer.from("old"), "a");
    const show = async (ring: LiveKeyRing) => learnKeys(ring, await client.get<Secret>(SECRETS, namespace, KEY_SECRET));
    const rotatedFrom = one.activeId;
    const rotated = await rotateKey(client, namespace, async () => {
      await show(two);
      assert.equal(two.activeId, rotatedFrom);
      await show(one);
    });
    assert.deepEqual([rotated.before === one.activeId, one.activeId === rotatedFrom], [true, true]);
    await show(one);
    assert.equal(one.activeId, rotated.now);
    const sealed = one.seal(Buffer.from("new"), "a");
    assert.equal(two.open(sealed, "a").toString(), "new", "the one that is late can read it");
    for (const ring of [one, two, await openKeyRing(client, namespace)])
      assert.equal(ring.open(old, "a").toString(), "old");
  });

  it("is not learned from another installation", async () => {
    const ring = await openKeyRing(fakeKubeClient(), namespace);
    const other = fakeKubeClient();
    await openKeyRing(other, namespace);
    const secret = await other.get<Secret>(SECRETS, namespace, KEY_SECRET);
    assert.throws(() => learnKeys(ring, secret), StoreCorrupt);
  });

  it("finishes a rotation that was cut off", async () => {
    const client = fakeKubeClient();
    const ring = await openKeyRing(client, namespace);
    const cut = rotateKey(client, namespace, () => Promise.reject(new Error("killed")));
    await assert.rejects(cut, /killed/);
    assert.equal((await openKeyRing(client, namespace)).activeId, ring.activeId);
    const { now } = await rotateKey(client, namespace, async () => {});
    const { data = {} } = await client.get<Secret>(SECRETS, namespace, KEY_SECRET);
    assert.equal(Object.keys(data).filter((name) => name.startsWith("key-")).length, 2);
    assert.equal((await openKeyRing(client, namespace)).activeId, now);
  });
});
