import assert from "node:assert/strict";
import { isGone } from "../../operator/cluster/errors.ts";
import type { ConfigMap } from "../../operator/cluster/kinds.ts";
import type { Client } from "../../operator/cluster/ports.ts";
import { CONFIG_MAPS } from "../../operator/cluster/resources.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { createReflector, type Reflector } from "../../operator/loop/reflector.ts";
import { type EngineServer, engineServer, makeNamespace, until } from "./engine-server.ts";

const NAMESPACE = "engine-reflector";

describe("the reflector on a real API server", function () {
  this.timeout(120_000);
  let server: EngineServer;
  let client: Client;
  let reflector: Reflector<ConfigMap>;
  let abort: AbortController;
  let running: Promise<void>;
  let lists: number;
  let restarts: unknown[];

  before(async () => {
    server = await engineServer();
    client = server.client;
    await makeNamespace(client, NAMESPACE);
  });
  beforeEach(() => {
    abort = new AbortController();
    lists = 0;
    restarts = [];
    reflector = createReflector<ConfigMap>({
      client,
      resource: CONFIG_MAPS,
      selection: { namespace: NAMESPACE },
      indexes: { team: ({ metadata }) => (metadata.labels?.team === undefined ? [] : [metadata.labels.team]) },
      clock: systemClock,
      silenceMs: 3_000,
      firstPauseMs: 100,
      longestPauseMs: 500,
      hooks: {
        onList: () => {
          lists += 1;
        },
        onRestart: (_, error) => restarts.push(error),
      },
    });
    running = reflector.run(abort.signal);
  });
  afterEach(async () => {
    abort.abort();
    await running;
  });

  const make = (name: string, value = "1") =>
    client.create<ConfigMap>(CONFIG_MAPS, {
      metadata: { name, namespace: NAMESPACE, labels: { team: "red" } },
      data: { value },
    });
  const value = (name: string) => reflector.get(NAMESPACE, name)?.data?.value;
  /** The copy and the API server say the same. */
  const agrees = async () => {
    const { items } = await client.listAll(CONFIG_MAPS, { namespace: NAMESPACE });
    const versions = (objects: typeof items) =>
      objects.map(({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`).toSorted();
    return JSON.stringify(versions(items)) === JSON.stringify(versions(reflector.list()));
  };

  it("follows creation, change and deletion, without the managedFields", async () => {
    await reflector.synced();
    const made = await make("followed");
    await until("created", () => value("followed") === "1");
    assert.equal(reflector.byIndex("team", "red").length, 1);
    assert.equal("managedFields" in (reflector.get(NAMESPACE, "followed")?.metadata ?? {}), false);
    await client.replace(CONFIG_MAPS, { ...made, data: { value: "2" } });
    await until("changed", () => value("followed") === "2");
    await client.delete(CONFIG_MAPS, NAMESPACE, "followed");
    await until("deleted", () => value("followed") === undefined);
    assert.equal(reflector.byIndex("team", "red").length, 0);
  });

  it("tells a new object of the same name from the old one", async () => {
    await reflector.synced();
    const changes: string[] = [];
    await make("reborn");
    await until("created", () => value("reborn") === "1");
    reflector.onChange((old, now) => changes.push(`${old?.metadata.name ?? ""}→${now?.metadata.name ?? ""}`));
    changes.length = 0;
    await client.delete(CONFIG_MAPS, NAMESPACE, "reborn");
    await make("reborn", "2");
    await until("made again", () => value("reborn") === "2");
    assert.deepEqual(changes, ["reborn→", "→reborn"]);
    await client.delete(CONFIG_MAPS, NAMESPACE, "reborn");
  });

  it("notices that a server is frozen, and catches up", async () => {
    await reflector.synced();
    await server.freeze();
    try {
      await until("the silence is noticed", () => restarts.length > 0, 10_000);
    } finally {
      server.thaw();
    }
    await make("after-frost");
    await until("seen", () => value("after-frost") === "1");
    assert.ok(await agrees());
  });

  it("goes on after the server was killed and started again, and after what happened meanwhile", async () => {
    await reflector.synced();
    await make("survives");
    await make("goes");
    await until("both are seen", () => value("survives") === "1" && value("goes") === "1");
    await server.kill();
    await until("the loss is noticed", () => restarts.length > 1);
    assert.equal(value("survives"), "1", "the copy is still there to be read");
    server.startAgain();
    await until(
      "the server answers",
      () => client.delete(CONFIG_MAPS, NAMESPACE, "goes", { deadlineMs: 1_000 }).catch(() => false),
      60_000,
    );
    await client.mergePatch(CONFIG_MAPS, NAMESPACE, "survives", { data: { value: "2" } });
    await until("everything is seen", () => value("survives") === "2" && value("goes") === undefined);
    assert.ok(await agrees());
  });

  it("a version that a new server has never cached is gone: that is what makes a reflector list again", async () => {
    const watch = async () => {
      const options = { namespace: NAMESPACE, resourceVersion: "1", timeoutSeconds: 5, signal: abort.signal };
      for await (const event of await client.watch(CONFIG_MAPS, options)) assert.fail(`unexpected ${event.type}`);
    };
    await assert.rejects(watch, isGone);
  });

  it("lists 1,100 objects in pages and follows them", async () => {
    await reflector.synced();
    for (let i = 0; i < 1_100; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, k) => make(`many-${i + k}`)));
    }
    await until("all are seen", () => reflector.list().length >= 1_100);
    assert.ok(await agrees());
    assert.equal(lists, 1, "by the watch alone");
    abort.abort();
    await running;
    const fresh = createReflector<ConfigMap>({
      client,
      resource: CONFIG_MAPS,
      selection: { namespace: NAMESPACE, labelSelector: "team=red" },
      clock: systemClock,
    });
    abort = new AbortController();
    running = fresh.run(abort.signal);
    await fresh.synced(AbortSignal.timeout(20_000));
    assert.ok(fresh.list().length >= 1_100);
  });
});
