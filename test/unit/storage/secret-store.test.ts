import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Secret } from "../../../operator/cluster/kinds.ts";
import type { Cache, Stored } from "../../../operator/cluster/ports.ts";
import { SECRETS } from "../../../operator/cluster/resources.ts";
import { collectGarbage } from "../../../operator/storage/garbage.ts";
import { createKeyRing, newKeyMaterial } from "../../../operator/storage/key-ring.ts";
import { KeyMissing, RecordsUnreadable, StoreCorrupt, type UnreadableRecord } from "../../../operator/storage/port.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { createRecordCache } from "../../../operator/storage/record-cache.ts";
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

  describe("while a record cannot be read", () => {
    const day = 24 * 60;

    /** A record that nobody can read, a chunk of its own, and another record with a chunk that it does not need any more. */
    async function damaged(other: Partial<ComponentRecord> = {}) {
      const { client, place, store } = aStore(() => at(0));
      const [lost, sound] = [aRecord(), aRecord(other)];
      await store.createRecord(lost);
      const [secret] = secretsIn(client);
      client.seed(SECRETS, { ...secret, data: { record: "AAAA" } } as unknown as Secret);
      const own = await store.putBlob(lost, "state", Buffer.from("of the record that cannot be read"));
      await store.createRecord(sound);
      await store.putBlob(sound, "state", Buffer.from("orphan"));
      return { client, place, store, lost, own, holder: `Secret ${secret?.metadata.name}` };
    }

    it("deletes what others do not need, and says which it is", async () => {
      const { place, holder } = await damaged();
      const told: string[] = [];
      const onUnreadable = (record: UnreadableRecord) => void told.push(record.holder);
      assert.equal(await collectGarbage(place, { now: at(120), onUnreadable }), 1);
      assert.deepEqual(told, [holder]);
    });

    it("deletes nothing that may be its own, however old that is", async () => {
      const { place, store, lost, own } = await damaged();
      assert.equal(await collectGarbage(place, { now: at(90 * day) }), 1);
      assert.equal((await store.getBlob(lost, own)).toString(), "of the record that cannot be read");
    });

    it("deletes nothing of a state that moves: it may be the one that has the new name", async () => {
      const { place } = await damaged({ movingTo: "lan" });
      assert.equal(await collectGarbage(place, { now: at(90 * day) }), 0);
    });
  });
});

describe("The records of one Environment", () => {
  const withoutKey = (client: ReturnType<typeof fakeKubeClient>) =>
    createSecretStore({ client, namespace, ring: createKeyRing(newKeyMaterial()) });
  const unreadableIn = (error: unknown) =>
    error instanceof RecordsUnreadable
      ? error.unreadable.map(({ component, error }) => [component, error.name])
      : error;

  it("are not known where one cannot be read: each of those is named, with the Secret that holds it", async () => {
    const { client, store } = aStore();
    const record = aRecord();
    const { namespace: of, environment } = record.key;
    for (const component of ["zone", "app", "site"])
      await store.createRecord({ ...record, key: { ...record.key, component } });
    const damage = ({ metadata, ...secret }: Secret, change: Partial<Secret["metadata"]>, data = secret.data) =>
      client.seed(SECRETS, { ...secret, data, metadata: { ...metadata, ...change } } as Secret);
    const secretOf = (component: string) =>
      secretsIn(client).find(({ metadata }) => metadata.labels?.["terrarium.dev/component"] === component) ??
      assert.fail();
    damage(secretOf("zone"), {}, { record: "AAAA" });
    damage(secretOf("site"), { annotations: { "terrarium.dev/state-key": "another/place/site" } });
    const error = await store.recordsOf(of, environment).catch((error: unknown) => error);
    assert.deepEqual(unreadableIn(error), [
      ["site", "StoreCorrupt"],
      ["zone", "StoreCorrupt"],
    ]);
    assert.match(String(error), new RegExp(`Secret ${secretOf("zone").metadata.name} cannot be read`));
    const others = await withoutKey(client)
      .recordsOf(of, environment)
      .catch((error: unknown) => error);
    assert.deepEqual(unreadableIn(others), [
      ["app", "KeyMissing"],
      ["site", "KeyMissing"],
      ["zone", "StoreCorrupt"],
    ]);
  });

  it("are not known from a watch either, until the one can be read", async () => {
    const { client, place, store } = aStore();
    const { value } = await store.createRecord(aRecord());
    const { namespace: of, environment } = value.key;
    const handlers: Parameters<Cache<Secret>["onChange"]>[0][] = [];
    const onChange: Cache<Secret>["onChange"] = (handler) => {
      handlers.push(handler);
      return () => {};
    };
    const watch = { onChange } as Cache<Secret>;
    const ring = createKeyRing(newKeyMaterial());
    const [blind, sees] = [createRecordCache(watch, ring), createRecordCache(watch, place.ring)];
    for (const handler of handlers) handler(undefined, secretsIn(client)[0] as Stored<Secret>);
    assert.throws(() => blind.recordsOf(of, environment), RecordsUnreadable);
    assert.deepEqual(sees.recordsOf(of, environment), [value]);

    const fresh = createRecordCache(watch, place.ring);
    const [sound = assert.fail()] = secretsIn(client);
    const bare = { ...sound, metadata: { ...sound.metadata, annotations: {} } };
    for (const handler of handlers) handler(sound as Stored<Secret>, bare as Stored<Secret>);
    for (const cache of [sees, fresh])
      assert.throws(() => cache.recordsOf(of, environment), RecordsUnreadable, "it is no record of nothing");
    for (const handler of handlers) handler(bare as Stored<Secret>, sound as Stored<Secret>);
    assert.deepEqual(sees.recordsOf(of, environment), [value]);
  });
});
