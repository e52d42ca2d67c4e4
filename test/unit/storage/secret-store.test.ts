import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Secret } from "../../../operator/cluster/kinds.ts";
import { SECRETS } from "../../../operator/cluster/resources.ts";
import { collectGarbage } from "../../../operator/storage/garbage.ts";
import { createKeyRing, newKeyMaterial } from "../../../operator/storage/key-ring.ts";
import { KeyMissing, StoreCorrupt } from "../../../operator/storage/port.ts";
import { createSecretStore } from "../../../operator/storage/secret-store.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { aRecord, describesAStateStore } from "./store-contract.ts";

const namespace = "terrarium-system";

function aStore(now?: () => Date) {
  const client = fakeKubeClient(now);
  const place = { client, namespace, ring: createKeyRing(newKeyMaterial()) };
  return { client, place, store: createSecretStore(place) };
}

const secretsIn = (client: ReturnType<typeof fakeKubeClient>) => client.objects(SECRETS) as readonly Secret[];

describe("the state store on Secrets", () => {
  describesAStateStore(() => aStore().store);

  it("keeps every Secret under the size that Kubernetes takes, and its chunks immutable", async () => {
    const { client, store } = aStore();
    const ref = await store.putBlob(aRecord(), "state", randomBytes(2_500_000));
    assert.equal(ref.chunks, 3);
    const secrets = secretsIn(client);
    assert.equal(secrets.length, 3);
    for (const { data, immutable } of secrets) {
      assert.ok(Buffer.from(data?.chunk ?? "", "base64").length <= 900 * 1024);
      assert.equal(immutable, true);
    }
  });

  it("holds nothing in clear", async () => {
    const { client, store } = aStore();
    const canary = "canary-5f1d";
    await store.createRecord(aRecord({ sourceCredentials: { username: canary, password: canary } }));
    await store.putBlob(aRecord(), "state", Buffer.from(canary));
    for (const { data } of secretsIn(client)) {
      for (const text of Object.values(data ?? {})) assert.ok(!Buffer.from(text, "base64").includes(canary));
    }
  });

  it("refuses a record that was put in another's place", async () => {
    const { client, store } = aStore();
    const [one, two] = [aRecord(), aRecord()];
    await store.createRecord(one);
    await store.createRecord(two);
    const [first, second] = secretsIn(client);
    assert.ok(first && second);
    client.seed(SECRETS, { ...first, data: second.data } as Secret);
    await assert.rejects(store.record(one.key), StoreCorrupt);
  });

  it("refuses chunks that were swapped, and says which part is missing", async () => {
    const { client, store } = aStore();
    const owner = aRecord();
    const ref = await store.putBlob(owner, "state", randomBytes(1_500_000));
    const [first, second] = secretsIn(client);
    assert.ok(first && second);
    client.seed(SECRETS, { ...first, data: second.data } as Secret);
    await assert.rejects(store.getBlob(owner, ref), StoreCorrupt);
    await store.deleteBlob(owner, { ...ref, chunks: 1 });
    await assert.rejects(store.getBlob(owner, ref), /chunk 0 of 2 is missing/);
  });

  it("names the key that is missing", async () => {
    const { client, store } = aStore();
    const record = aRecord();
    await store.createRecord(record);
    const other = createSecretStore({ client, namespace, ring: createKeyRing(newKeyMaterial()) });
    await assert.rejects(other.record(record.key), KeyMissing);
  });

  it("keeps a record that somebody deletes by hand", async () => {
    const { client, store } = aStore();
    const { value } = await store.createRecord(aRecord());
    const [secret] = secretsIn(client);
    await client.delete(SECRETS, namespace, secret?.metadata.name ?? "");
    const found = await store.record(value.key);
    assert.ok(found);
    const newer = await store.updateRecord({ ...value, mayHoldObjects: true }, found.version);
    await store.deleteRecord(value.key, newer.version);
    assert.equal(secretsIn(client).length, 0);
  });

  it("loses nothing to a deletion that another write overtakes", async () => {
    const { client, store } = aStore();
    const { value, version } = await store.createRecord(aRecord());
    client.faults.after = (verb) => {
      if (verb !== "replace") return;
      client.faults = {};
      const [secret] = secretsIn(client);
      client.seed(SECRETS, secret as Secret);
    };
    await assert.rejects(store.deleteRecord(value.key, version));
    assert.ok(await store.record(value.key));
  });
});

describe("garbage collection", () => {
  const at = (minutes: number) => new Date(Date.UTC(2030, 0, 1, 0, minutes));

  it("deletes chunks that no record refers to, once they are older than an hour", async () => {
    const { client, place, store } = aStore(() => at(0));
    const record = aRecord();
    const used = await store.putBlob(record, "state", randomBytes(1_000_000));
    const version = { lineage: "l", serial: 1, resources: 1, blob: used, run: "r", at: "" };
    await store.createRecord({ ...record, state: version });
    await store.putBlob(record, "state", Buffer.from("orphan"));
    assert.equal(await collectGarbage(place, { now: at(59) }), 0);
    assert.equal(await collectGarbage(place, { now: at(61) }), 1);
    assert.equal((await store.getBlob(record, used)).length, 1_000_000);
    assert.equal(secretsIn(client).length, 3);
  });

  it("keeps what belongs to a record that is gone for thirty days: it may come back from a backup", async () => {
    const { place, store } = aStore(() => at(0));
    await store.putBlob(aRecord(), "state", Buffer.from("of a record that was lost"));
    const day = 24 * 60;
    assert.equal(await collectGarbage(place, { now: at(29 * day) }), 0);
    assert.equal(await collectGarbage(place, { now: at(31 * day) }), 1);
  });

  it("deletes nothing while a record cannot be read", async () => {
    const { client, place, store } = aStore(() => at(0));
    await store.createRecord(aRecord());
    await store.putBlob(aRecord(), "state", Buffer.from("orphan"));
    const [secret] = secretsIn(client);
    client.seed(SECRETS, { ...secret, data: { record: "AAAA" } } as unknown as Secret);
    await assert.rejects(collectGarbage(place, { now: at(120) }), StoreCorrupt);
    assert.equal(secretsIn(client).length, 2);
  });
});
