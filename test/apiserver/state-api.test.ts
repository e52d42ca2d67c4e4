import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import type { Connection } from "../../operator/cluster/connection.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { API_SERVICE } from "../../operator/state-api/registration.ts";
import type { StateApi } from "../../operator/state-api/state-api.ts";
import { changeRecord } from "../../operator/storage/change.ts";
import { claim } from "../../operator/storage/claims.ts";
import { appendJournal } from "../../operator/storage/journal.ts";
import { acquireLock, fence } from "../../operator/storage/locking.ts";
import { ensureRecord } from "../../operator/storage/ownership.ts";
import type { StateStore } from "../../operator/storage/port.ts";
import { recoverState } from "../../operator/storage/recovery.ts";
import { writeState } from "../../operator/storage/versions.ts";
import { EXIT } from "../../plugin/exit-codes.ts";
import { AT, aPod, aState, fencedRun, tellToApply } from "../unit/storage/claimants.ts";
import { environment } from "./admission-objects.ts";
import {
  type Answer,
  type Api,
  bindPeople,
  chartApi,
  chartServer,
  made,
  namespace,
  OPERATOR_NAMESPACE,
  PEOPLE,
  type Person,
  until,
} from "./admission-server.ts";
import { PluginPeople } from "./plugin-call.ts";
import { SERVICE, serveStates } from "./served-states.ts";

const TEAM = "team-states";
const KEY = { namespace: TEAM, environment: "shop", component: "network" };
const ROOT = `/apis/state.terrarium.dev/v1alpha1/namespaces/${TEAM}/states`;
const STATE = `${ROOT}/shop.network`;

const reader: Person = { user: "rita", groups: ["system:authenticated"] };
const writer: Person = { user: "wanda", groups: ["people, of all kinds", "system:authenticated"] };

describe("states behind a real API server", function () {
  this.timeout(60_000);
  let api: Api;
  let store: StateStore;
  let states: StateApi;
  let connection: Connection;
  let environmentUid: string;

  before(async () => {
    api = await chartApi();
    await made(api.create("/api/v1/namespaces", namespace(TEAM)));
    await bindPeople(api, TEAM);
    await bind(api, "terrarium-state-reader", { kind: "User", name: reader.user });
    await bind(api, "terrarium-state-writer", { kind: "Group", name: "people, of all kinds" });
    const shop = environment(KEY.environment);
    const { body } = await made(api.create(`/apis/terrarium.dev/v1alpha1/namespaces/${TEAM}/environments`, shop));
    environmentUid = (body.metadata as { readonly uid: string }).uid;
    ({ store, states, connection } = await serveStates(api));
    await until(
      () => api.get(ROOT),
      ({ status }) => status === 200,
      40_000,
    );
  });
  after(async () => {
    await states.close();
    await connection.close();
    await api.delete(`/api/v1/namespaces/${OPERATOR_NAMESPACE}/services/${SERVICE}`);
    await api.delete(`/apis/apiregistration.k8s.io/v1/apiservices/${API_SERVICE}`);
  });

  /** A component with these serials stored by its first Run, and nobody at work. */
  async function stored(component: string, ...serials: readonly number[]): Promise<string> {
    const key = { ...KEY, component };
    const path = `${ROOT}/${KEY.environment}.${component}`;
    if ((await store.record(key)) !== undefined) return path;
    await ensureRecord(store, key, environmentUid);
    const pod = aPod(1, { key, environmentUid });
    await changeRecord(store, key, (record) => claim(record, pod, AT));
    await tellToApply(store, pod);
    await acquireLock(store, pod, { id: "lock", operation: "" }, AT);
    for (const serial of serials) await writeState(store, pod, "lock", aState({ serial, resources: ["vpc"] }), AT);
    await fence(store, key, fencedRun(pod), "its result was reported", AT);
    return path;
  }

  const put = (path: string, body: Buffer, as: Person): Promise<Answer> =>
    api.call({ method: "PUT", path, body: JSON.parse(body.toString()), as });
  const post = (path: string, body: unknown, as: Person): Promise<Answer> =>
    api.call({ method: "POST", path, body, as });
  const events = async (): Promise<readonly string[]> => {
    const { body } = await api.get(`/apis/events.k8s.io/v1/namespaces/${TEAM}/events`);
    return (body.items as { reason: string; note: string }[]).map(({ reason, note }) => `${reason}: ${note}`);
  };

  it("are found by discovery, and named in a table", async () => {
    const { body } = await api.get("/apis/state.terrarium.dev/v1alpha1");
    const names = (body.resources as { readonly name: string }[]).map(({ name }) => name);
    assert.deepEqual(names, [
      "states",
      ...["content", "imports", "journal", "restore", "unlock"].map((one) => `states/${one}`),
    ]);
    await stored("network", 3, 4);
    const table = await askFor(`${ROOT}`, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    assert.equal(table.kind, "Table");
    const rows = table.rows as { readonly cells: unknown[] }[];
    assert.deepEqual(
      rows.map(({ cells }) => cells.slice(0, 4)),
      [["shop.network", 4, 1, "shop-network-1"]],
    );
  });

  it("are seen by a viewer without their content, and by a stranger not at all", async () => {
    await stored("network", 3, 4);
    const seen = await api.get(STATE, PEOPLE.viewer);
    assert.equal(seen.status, 200, seen.message);
    const { status } = seen.body as { status: { serial: number; versions: { serial: number }[] } };
    assert.deepEqual([status.serial, status.versions.map(({ serial }) => serial)], [4, [4, 3]]);
    assert.doesNotMatch(JSON.stringify(seen.body), /"attributes"|"instances"/);
    for (const person of [PEOPLE.viewer, PEOPLE.editor, PEOPLE.namespaceAdmin]) {
      assert.equal((await api.get(`${STATE}/content`, person)).status, 403, person.user);
      assert.equal((await put(`${STATE}/content`, aState({ serial: 9 }), person)).status, 403, person.user);
      assert.equal((await post(`${STATE}/restore`, { serial: 3 }, person)).status, 403, person.user);
    }
    const stranger: Person = { user: "nobody", groups: ["system:authenticated"] };
    assert.equal((await api.get(STATE, stranger)).status, 403);
    assert.equal((await api.get("/apis/state.terrarium.dev/v1alpha1/states", PEOPLE.viewer)).status, 403);
    assert.equal((await api.get(`${ROOT}/shop.nothing`, PEOPLE.viewer)).status, 404);
    assert.equal((await api.get(`${ROOT}/nonsense`, PEOPLE.viewer)).status, 404);
  });

  it("are pulled by a reader, in any version that is kept, and the Environment's events say so", async () => {
    await stored("network", 3, 4);
    const newest = await api.get(`${STATE}/content`, reader);
    assert.equal(newest.status, 200, newest.message);
    assert.deepEqual(newest.body, JSON.parse(aState({ serial: 4, resources: ["vpc"] }).toString()));
    assert.equal((await api.get(`${STATE}/content?serial=3`, reader)).body.serial, 3);
    const missing = await api.get(`${STATE}/content?serial=1`, reader);
    assert.deepEqual([missing.status, /kept are the serials 4, 3/.test(missing.message)], [404, true]);
    assert.equal((await api.get(`${STATE}/content?recovery=true`, reader)).status, 404);
    assert.equal((await put(`${STATE}/content`, aState({ serial: 9 }), reader)).status, 403);
    await eventually(events, (all) => all.includes("StatePulled: rita pulled the state of network (serial 4)"));
  });

  it("are pushed and restored by a writer whose right comes from a group; what was stored before is kept", async () => {
    const database = await stored("database", 3);
    const older = await put(`${database}/content`, aState({ serial: 2 }), writer);
    assert.deepEqual([older.status, older.body.reason], [409, "Conflict"]);
    assert.match(older.message, /serial 3 is stored/);
    const pushed = await put(`${database}/content`, aState({ serial: 5, resources: ["a", "b"] }), writer);
    assert.equal(pushed.status, 200, pushed.message);
    const restored = await post(`${database}/restore`, { serial: 3 }, writer);
    assert.equal(restored.status, 201, restored.message);
    const { status } = restored.body as {
      status: { serial: number; versions: { serial: number; by?: string }[]; lastWrite: { by: string; how: string } };
    };
    assert.deepEqual(
      status.versions.map(({ serial, by }) => [serial, by]),
      [
        [6, "wanda"],
        [5, "wanda"],
        [3, undefined],
      ],
    );
    assert.deepEqual([status.lastWrite.how, status.lastWrite.by], ["Restore", "wanda"]);
    const content = await api.get(`${database}/content`, writer);
    assert.deepEqual(content.body, JSON.parse(aState({ serial: 6, resources: ["vpc"] }).toString()));
    await eventually(events, (all) => all.some((one) => one.startsWith("StateRestored: wanda restored a version")));
  });

  it("are not written while a Run works on them, and the refusal names its pod", async () => {
    await stored("network", 3, 4);
    const pod = aPod(2, { key: KEY, environmentUid });
    await changeRecord(store, KEY, (record) => claim(record, pod, AT));
    const refused = await put(`${STATE}/content`, aState({ serial: 9 }), writer);
    assert.equal(refused.status, 409);
    assert.match(refused.message, /Run shop-network-2 \(pod shop-network-2-p\) works on it/);
    assert.equal((await post(`${STATE}/restore`, { serial: 3 }, writer)).status, 409);
    await fence(store, KEY, fencedRun(pod), "its result was reported", AT);
  });

  it("refuse nonsense in a sentence: what is no state, a body that says nothing, an unknown selector", async () => {
    await stored("network", 3, 4);
    const noState = await api.call({ method: "PUT", path: `${STATE}/content`, body: { hello: 1 }, as: writer });
    assert.deepEqual([noState.status, noState.body.reason], [422, "Invalid"]);
    assert.equal((await post(`${STATE}/restore`, { serial: "3; rm" }, writer)).status, 400);
    assert.equal((await api.get(`${STATE}/content?serial=x`, reader)).status, 400);
    assert.equal((await api.get(`${ROOT}?labelSelector=app%3Dx`, PEOPLE.viewer)).status, 400);
    assert.equal((await api.get(`${ROOT}?watch=true`)).status, 405);
  });

  it("are listed, pulled, pushed and restored with kubectl terrarium, by who may", async () => {
    await stored("mobile", 3, 4);
    const people = new PluginPeople(TEAM);
    const state = (person: Person, args: readonly string[], stdin = "") =>
      people.call(person, ["state", ...args], { stdin });
    try {
      const listed = await state(PEOPLE.viewer, ["list", "shop"]);
      assert.match(listed.out, /shop +mobile +4 +1 /);
      const refused = await state(PEOPLE.viewer, ["pull", "shop", "mobile"]);
      assert.equal(refused.code, EXIT.forbidden);
      assert.match(refused.err, /^You \(victor\) may not get states\/content .*terrarium-state-reader/);
      const pulled = await state(reader, ["pull", "shop", "mobile"]);
      assert.equal(pulled.out, aState({ serial: 4, resources: ["vpc"] }).toString());
      const next = aState({ serial: 5, resources: ["vpc", "subnet"] }).toString();
      const pushed = await state(writer, ["push", "shop", "mobile"], next);
      assert.match(pushed.out, /^Pushed: the state of shop\/mobile has serial 5 and 2 resources now\.\n/, pushed.err);
      assert.match(pushed.out, /waits for a person: kubectl terrarium approve shop -n team-states$/);
      const stale = await state(writer, ["push", "shop", "mobile"], aState({ serial: 2, resources: ["x"] }).toString());
      assert.equal(stale.code, EXIT.error);
      const restored = await state(writer, ["restore", "shop", "mobile", "--serial", "4", "--yes"]);
      assert.match(restored.out, /^Restored: the state of shop\/mobile has serial \d+ and 1 resource now\.$/m);
      assert.equal((await state(reader, ["imports", "shop", "mobile"])).code, EXIT.done);
      assert.equal((await state(reader, ["pull", "shop", "nothing"])).code, EXIT.notFound);
    } finally {
      await people.end();
    }
  });

  it("that an engine left behind are restored in one command, and what no state has is ready to import", async () => {
    const key = { ...KEY, component: "queue" };
    await ensureRecord(store, key, environmentUid);
    const pod = aPod(1, { key, environmentUid });
    await changeRecord(store, key, (record) => claim(record, pod, AT));
    await tellToApply(store, pod);
    await acquireLock(store, pod, { id: "lock", operation: "" }, AT);
    await writeState(store, pod, "lock", aState({ serial: 3, resources: ["vpc"] }), AT);
    const made = { at: AT.toISOString(), address: "aws_sqs_queue.jobs", action: "create" } as const;
    const entries = [
      { ...made, event: "apply_start" },
      { ...made, event: "apply_complete", idKey: "id", idValue: "queue-1" },
    ] as const;
    await appendJournal(store, pod, 0, entries);
    const left = aState({ serial: 4, resources: ["vpc", "subnet"], lineage: "another" });
    assert.equal(await recoverState(store, pod, left, AT), "kept");
    await fence(store, key, fencedRun(pod), "all of its containers have ended", AT);
    const people = new PluginPeople(TEAM);
    const state = (args: readonly string[]) => people.call(writer, ["state", ...args]);
    try {
      const imports = await state(["imports", "shop", "queue"]);
      assert.match(imports.out, /\nimport \{\n {2}to = aws_sqs_queue\.jobs\n {2}id = "queue-1"\n\}\n/, imports.err);
      const restored = await state(["restore", "shop", "queue", "--recovery", "--yes"]);
      assert.match(
        restored.out,
        /^Restored: the state of shop\/queue has serial 4 and 2 resources now\.$/m,
        restored.err,
      );
      assert.equal((await store.record(key))?.value.recovery, undefined);
      assert.equal((await state(["restore", "shop", "queue", "--recovery", "--yes"])).code, EXIT.notFound);
    } finally {
      await people.end();
    }
    const told = "StateRestored: wanda restored the recovery copy of the state of queue, now serial 4";
    await eventually(events, (all) => all.includes(told));
  });

  it("let nobody in who is not the API server, whatever the headers say", async () => {
    const direct = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { "x-remote-user": "admin", "x-remote-group": "system:masters" };
      const options = { port: states.port(), path: `${STATE}/content`, headers, rejectUnauthorized: false };
      request(options, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });
    assert.equal(direct, 401);
  });

  async function askFor(path: string, accept: string): Promise<Record<string, unknown>> {
    const server = await chartServer();
    const ca = await readFile(server.caFile, "utf8");
    return new Promise((resolve, reject) => {
      const headers = { accept, authorization: `Bearer ${server.adminToken}` };
      request(new URL(path, server.url), { ca, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>));
      })
        .on("error", reject)
        .end();
    });
  }
});

async function bind(api: Api, role: string, subject: { readonly kind: string; readonly name: string }): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  await made(
    api.create(`/apis/${apiGroup}/v1/namespaces/${TEAM}/rolebindings`, {
      apiVersion: `${apiGroup}/v1`,
      kind: "RoleBinding",
      metadata: { name: role },
      roleRef: { apiGroup, kind: "ClusterRole", name: role },
      subjects: [{ apiGroup, ...subject }],
    }),
  );
}

async function eventually<T>(look: () => Promise<T>, good: (found: T) => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (good(found)) return;
    assert.ok(performance.now() < end, `still: ${JSON.stringify(found)}`);
    await systemClock.sleep(100);
  }
}
