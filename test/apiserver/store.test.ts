import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Secret } from "../../operator/cluster/kinds.ts";
import type { Client } from "../../operator/cluster/ports.ts";
import { SECRETS } from "../../operator/cluster/resources.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { createReflector } from "../../operator/loop/reflector.ts";
import { changeRecord } from "../../operator/storage/change.ts";
import { collectGarbage } from "../../operator/storage/garbage.ts";
import type { KeyRing } from "../../operator/storage/key-ring.ts";
import { KEY_SECRET, openKeyRing } from "../../operator/storage/keys.ts";
import { KeyMissing, type StateStore } from "../../operator/storage/port.ts";
import { createRecordCache, recordSelection } from "../../operator/storage/record-cache.ts";
import { BLOBS, STORE_LABELS } from "../../operator/storage/secret-names.ts";
import { createSecretStore } from "../../operator/storage/secret-store.ts";
import { aRecord, describesAStateStore } from "../unit/storage/store-contract.ts";
import { engineServer, makeNamespace, until } from "./engine-server.ts";

const namespace = "terrarium-store";

describe("the state store on a real API server", function () {
  this.timeout(120_000);
  let client: Client;
  let ring: KeyRing;
  let store: StateStore;

  before(async () => {
    client = (await engineServer()).client;
    await makeNamespace(client, namespace);
    const rings = await Promise.all([1, 2, 3].map(() => openKeyRing(client, namespace)));
    assert.equal(
      new Set(rings.map(({ activeId }) => activeId)).size,
      1,
      "replicas that start at once agree on the key",
    );
    ring = rings[0] as KeyRing;
    store = createSecretStore({ client, namespace, ring });
  });

  describesAStateStore(() => store);

  it("loses no change of thirty that are made at once", async () => {
    const { value } = await store.createRecord(aRecord());
    const add = (run: string) =>
      changeRecord(store, value.key, (record) => ({
        next: { ...record, owner: { environmentUid: `${record.owner.environmentUid}${run}` } },
        answer: undefined,
      }));
    const tries = await Promise.allSettled(Array.from({ length: 30 }, () => add("+")));
    const done = tries.filter(({ status }) => status === "fulfilled").length;
    const found = await store.record(value.key);
    assert.equal(found?.value.owner.environmentUid, `env-uid${"+".repeat(done)}`);
    assert.ok(done >= 20, `${done} of 30 came through`);
  });

  it("keeps a record that somebody deletes, until it is forgotten", async () => {
    const { value } = await store.createRecord(aRecord());
    const secrets = await client.listAll<Secret>(SECRETS, recordSelection(namespace));
    const mine = secrets.items.find(({ metadata }) =>
      Object.values(metadata.annotations ?? {}).includes(`team-shop/${value.key.environment}/network`),
    );
    assert.ok(mine);
    await client.delete(SECRETS, namespace, mine.metadata.name);
    const found = await store.record(value.key);
    assert.ok(found);
    const newer = await store.updateRecord({ ...value, mayHoldObjects: true }, found.version);
    assert.equal((await store.record(value.key))?.value.mayHoldObjects, true);
    await store.deleteRecord(value.key, newer.version);
    assert.equal(await client.find(SECRETS, namespace, mine.metadata.name), undefined);
  });

  it("collects what no record refers to, and nothing else", async () => {
    const record = aRecord();
    const blob = await store.putBlob(record, "state", Buffer.from("used"));
    const state = { lineage: "l", serial: 1, resources: 0, blob, run: "r", at: "" };
    await store.createRecord({ ...record, state });
    await store.putBlob(record, "state", Buffer.from("orphan"));
    const place = { client, namespace, ring };
    assert.equal(await collectGarbage(place, { now: new Date() }), 0);
    const inTwoHours = new Date(Date.now() + 2 * 3_600_000);
    assert.equal(await collectGarbage(place, { now: inTwoHours }), 1, "of this record; others have lost theirs");
    await collectGarbage(place, { now: new Date(Date.now() + 31 * 24 * 3_600_000) });
    const left = await client.listAll(SECRETS, { namespace, labelSelector: BLOBS });
    assert.equal(left.items.length, 1);
    assert.equal((await store.getBlob(record, blob)).toString(), "used");
  });

  it("tells through a watch which record changed, and shows it, and what all of it takes", async () => {
    const stop = new AbortController();
    const selection = recordSelection(namespace);
    const reflector = createReflector<Secret>({ client, resource: SECRETS, selection, clock: systemClock });
    const cache = createRecordCache(reflector, ring);
    const changed: string[] = [];
    cache.onChange(({ environment }) => changed.push(environment));
    const running = reflector.run(stop.signal);
    await reflector.synced();
    const { value, version } = await store.createRecord(aRecord());
    const shown = () => cache.recordsOf(value.key.namespace, value.key.environment);
    await until("the record is shown", () => shown().length === 1);
    await store.updateRecord({ ...value, mayHoldObjects: true }, version);
    await until("the change is shown", () => shown()[0]?.mayHoldObjects === true);
    assert.ok(changed.filter((environment) => environment === value.key.environment).length >= 2);

    const before = cache.measure();
    const record = shown()[0] ?? value;
    const blob = await store.putBlob(record, "state", randomBytes(100_000));
    const found = await store.record(value.key);
    const state = { lineage: "l", serial: 1, resources: 0, blob, run: "r", at: "" };
    await store.updateRecord({ ...record, state }, found?.version ?? "");
    await until("the state is shown", () => shown()[0]?.state !== undefined);
    const grown = cache.measure();
    const chunks = await client.listAll<Secret>(SECRETS, {
      namespace,
      labelSelector: `${STORE_LABELS.blob}=${blob.id}`,
    });
    const stored = chunks.items.flatMap(({ data = {} }) => Object.values(data)).join("").length;
    assert.equal(grown.blobBytes - before.blobBytes, stored, "as many bytes as its Secrets hold");
    assert.ok(stored > 100_000);
    assert.ok(grown.recordBytes > before.recordBytes);
    assert.equal(grown.records, before.records);
    stop.abort();
    await running;
  });

  it("never makes a new key where something is stored", async () => {
    await client.delete(SECRETS, namespace, KEY_SECRET);
    await assert.rejects(openKeyRing(client, namespace), KeyMissing);
  });
});
