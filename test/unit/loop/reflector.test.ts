import assert from "node:assert/strict";
import { createClient } from "../../../operator/cluster/client.ts";
import type { KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import { PODS } from "../../../operator/cluster/resources.ts";
import { createReflector, type Reflector } from "../../../operator/loop/reflector.ts";
import { transportTo } from "../cluster/fake-api.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";
import { type OpenWatch, type ScriptedApi, scriptedApi } from "./scripted-list-watch.ts";

const aPod = (name: string, version: string, uid = `uid-${name}`): Stored<KubeObject> => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    namespace: "shop",
    uid,
    resourceVersion: version,
    creationTimestamp: "2030-01-01T00:00:00Z",
    labels: { team: "red" },
  },
});

describe("the reflector", () => {
  let api: ScriptedApi;
  let clock: FakeClock;
  let reflector: Reflector<KubeObject>;
  let abort: AbortController;
  let running: Promise<void>;
  let changes: string[];
  let restarts: { error: unknown; pauseMs: number }[];
  let handlerErrors: unknown[];
  let events: string[];

  beforeEach(async () => {
    api = await scriptedApi();
    clock = fakeClock();
    abort = new AbortController();
    changes = [];
    restarts = [];
    handlerErrors = [];
    events = [];
    reflector = createReflector({
      client: createClient(transportTo(api)),
      resource: PODS,
      selection: { namespace: "shop", labelSelector: "a=b" },
      indexes: { team: ({ metadata }) => Object.values(metadata.labels ?? {}) },
      clock,
      random: () => 0.5,
      silenceMs: 150_000,
      hooks: {
        onRestart: (_, error, pauseMs) => restarts.push({ error, pauseMs }),
        onEvent: (_, type) => events.push(type),
        onHandlerError: (_, error) => handlerErrors.push(error),
      },
    });
    reflector.onChange((old, now) => changes.push(describeChange(old, now)));
    running = Promise.resolve();
  });
  afterEach(async () => {
    abort.abort();
    await running;
    await api.close();
  });

  const start = () => {
    running = reflector.run(abort.signal);
  };
  /** Real I/O settles in real time; the reflector's own time is moved only as far as asked. */
  const until = async (condition: () => boolean, msPerLook = 0): Promise<void> => {
    const giveUpAt = performance.now() + 15_000;
    while (!condition()) {
      assert.ok(performance.now() < giveUpAt, `it never came to ${condition}`);
      await clock.advance(msPerLook);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const watching = async (count = 1, msPerLook = 0): Promise<OpenWatch> => {
    await until(() => api.watches.length >= count, msPerLook);
    return api.watches[count - 1] as OpenWatch;
  };

  it("has synced when the first list is complete, pages and all, and not before", async () => {
    api.troubles.push(
      ({ reply }) => reply(200, { metadata: { resourceVersion: "10", continue: "2" }, items: [aPod("a", "3")] }),
      ({ reply }) => {
        assert.equal(reflector.hasSynced(), false);
        assert.equal(reflector.get("shop", "a"), undefined);
        reply(200, { metadata: { resourceVersion: "10" }, items: [aPod("b", "4")] });
      },
    );
    start();
    await reflector.synced();
    assert.equal(reflector.hasSynced(), true);
    assert.deepEqual(changes, ["+a@3", "+b@4"]);
    assert.equal(reflector.byIndex("team", "red").length, 2);
  });

  it("lists what is newest, and never what a server that was left behind remembers", async () => {
    start();
    await reflector.synced();
    // With a version, "0" too, a server may answer from what it knows already (Kubernetes, "API concepts", resource versions).
    assert.deepEqual(
      api.lists.map(({ query }) => [query.get("resourceVersion"), query.get("resourceVersionMatch")]),
      [[null, null]],
    );
  });

  it("watches from the list's version, with bookmarks, selectors and an end", async () => {
    start();
    const { query } = await watching();
    assert.equal(query.get("resourceVersion"), "10");
    assert.equal(query.get("allowWatchBookmarks"), "true");
    assert.equal(query.get("labelSelector"), "a=b");
    assert.equal(query.get("timeoutSeconds"), "450");
  });

  it("follows what happens", async () => {
    api.items = [aPod("a", "3")];
    start();
    const watch = await watching();
    watch.send("ADDED", aPod("b", "11"));
    watch.send("MODIFIED", aPod("a", "12"));
    watch.send("DELETED", aPod("b", "13"));
    await until(() => changes.length === 4);
    assert.deepEqual(changes, ["+a@3", "+b@11", "a@3→12", "-b@13"]);
    assert.deepEqual(
      reflector.list().map(({ metadata }) => metadata.name),
      ["a"],
    );
  });

  it("drops managedFields and keeps what it does not know", async () => {
    const heavy = { ...aPod("a", "3"), surprise: { kept: true } };
    Object.assign(heavy.metadata, { managedFields: [{ manager: "kubectl" }] });
    api.items = [heavy];
    start();
    await reflector.synced();
    const kept: unknown = reflector.get("shop", "a");
    assert.deepEqual(kept, { ...aPod("a", "3"), surprise: { kept: true } });
  });

  it("the same name with another UID is a deletion and an addition", async () => {
    api.items = [aPod("a", "3", "first")];
    start();
    (await watching()).send("ADDED", aPod("a", "12", "second"));
    await until(() => changes.length === 3);
    assert.deepEqual(changes.slice(1), ["-a@3", "+a@12"]);
  });

  it("a duplicate is told to nobody", async () => {
    api.items = [aPod("a", "3")];
    start();
    const watch = await watching();
    watch.send("ADDED", aPod("a", "3"));
    watch.send("MODIFIED", aPod("a", "11"));
    watch.send("MODIFIED", aPod("a", "11"));
    watch.send("ADDED", aPod("z", "12"));
    await until(() => changes.includes("+z@12"));
    assert.deepEqual(changes, ["+a@3", "a@3→11", "+z@12"]);
  });

  it("a handler that throws is counted, and stops neither the others nor the watch", async () => {
    const seen: string[] = [];
    reflector.onChange(() => {
      throw new Error("bug");
    });
    reflector.onChange((old, now) => seen.push(describeChange(old, now)));
    start();
    const watch = await watching();
    watch.send("ADDED", aPod("a", "11"));
    watch.send("ADDED", aPod("b", "12"));
    await until(() => seen.length === 2);
    assert.equal(handlerErrors.length, 2);
    assert.equal(restarts.length, 0);
  });

  it("who comes late hears of everything that is there; who leaves hears no more", async () => {
    api.items = [aPod("a", "3")];
    start();
    const watch = await watching();
    const seen: string[] = [];
    const leave = reflector.onChange((old, now) => seen.push(describeChange(old, now)));
    assert.deepEqual(seen, ["+a@3"]);
    leave();
    watch.send("ADDED", aPod("b", "11"));
    await until(() => changes.includes("+b@11"));
    assert.deepEqual(seen, ["+a@3"]);
  });

  it("synced gives up with its signal", async () => {
    const patience = AbortSignal.abort(new Error("enough"));
    await assert.rejects(reflector.synced(patience), /enough/);
  });

  describe("goes on after", () => {
    it("a list that fails at the start, for as long as it takes, with growing pauses", async () => {
      for (let i = 0; i < 9; i += 1) api.troubles.push((exchange) => exchange.refuse(403, "Forbidden"));
      start();
      await until(() => reflector.hasSynced(), 500);
      assert.deepEqual(
        restarts.map(({ pauseMs }) => pauseMs / 1000),
        [1, 2, 4, 8, 16, 30, 30, 30, 30],
      );
    });

    it("a reset of the connection, from where it was, without listing again", async () => {
      start();
      const first = await watching();
      first.send("ADDED", aPod("a", "11"));
      await until(() => changes.length === 1);
      first.reset();
      const second = await watching(2, 200);
      assert.equal(second.query.get("resourceVersion"), "11");
      assert.equal(api.lists.length, 1);
      second.send("MODIFIED", aPod("a", "12"));
      await until(() => changes.includes("a@11→12"));
    });

    it("an end by the server, at once and from the last bookmark", async () => {
      start();
      const first = await watching();
      first.bookmark("99");
      await clock.advance(100_000);
      first.bookmark("100");
      first.end();
      const second = await watching(2);
      assert.equal(second.query.get("resourceVersion"), "100");
      assert.deepEqual(restarts, []);
    });

    it("watches that end as soon as they begin, with pauses and then a list", async () => {
      api.troubles.push(({ reply }) => reply(200, { metadata: { resourceVersion: "5" } }));
      for (let i = 0; i < 3; i += 1) api.troubles.push(({ response }) => response.writeHead(200).end());
      start();
      await watching(1, 200);
      assert.equal(restarts.length, 3);
      assert.equal(api.lists.length, 2);
    });

    it("an event that the server never sent: lists again when an hour has passed, and not before", async () => {
      api.items = [aPod("a", "5")];
      start();
      await until(() => api.watches.length === 1);
      api.items = [];
      clock.freeze(1_800_000);
      api.watches[0]?.end();
      await until(() => api.watches.length === 2);
      assert.equal(api.lists.length, 1);
      clock.freeze(1_800_000);
      api.watches[1]?.end();
      await until(() => reflector.list().length === 0);
      assert.equal(api.lists.length, 2);
    });

    it("410 in answer to the watch: lists again and tells what was missed, deletions too", async () => {
      api.items = [aPod("a", "3"), aPod("b", "4")];
      api.troubles.push(
        ({ reply }) => {
          reply(200, { metadata: { resourceVersion: "10" }, items: api.items });
          api.items = [aPod("b", "20"), aPod("c", "21")];
          api.version = "30";
        },
        (exchange) => exchange.refuse(410, "Expired"),
      );
      start();
      const watch = await watching(1, 200);
      assert.equal(watch.query.get("resourceVersion"), "30");
      assert.deepEqual(changes.slice(2), ["-a@3", "b@4→20", "+c@21"]);
    });

    it("410 in the middle of a watch", async () => {
      start();
      const watch = await watching();
      api.version = "50";
      watch.error(410, "Expired");
      assert.equal((await watching(2, 200)).query.get("resourceVersion"), "50");
      assert.equal(api.lists.length, 2);
    });

    it("410 between two pages of a list, from the first page", async () => {
      api.items = [aPod("b", "4")];
      api.troubles.push(
        ({ reply }) => reply(200, { metadata: { resourceVersion: "10", continue: "2" }, items: [aPod("a", "3")] }),
        (exchange) => exchange.refuse(410, "Expired"),
      );
      start();
      await until(() => reflector.hasSynced(), 200);
      assert.deepEqual(changes, ["+b@4"]);
    });

    it("429 to a watch, not before the server wants it", async () => {
      api.troubles.push(
        ({ reply }) => reply(200, { metadata: { resourceVersion: "10" }, items: [] }),
        (exchange) => exchange.refuse(429, "TooManyRequests", { "retry-after": "7" }),
      );
      start();
      await watching(1, 200);
      assert.deepEqual(
        restarts.map(({ pauseMs }) => pauseMs),
        [7_000],
      );
    });

    it("500s, which at the third make it list again: the version may be one that nobody knows", async () => {
      api.troubles.push(({ reply }) => reply(200, { metadata: { resourceVersion: "9999" }, items: [] }));
      for (let i = 0; i < 3; i += 1) api.troubles.push((exchange) => exchange.refuse(500, "InternalError"));
      start();
      assert.equal((await watching(1, 200)).query.get("resourceVersion"), "10");
      assert.equal(api.lists.length, 2);
    });

    it("silence, which not even a bookmark breaks", async () => {
      start();
      const first = await watching();
      await clock.advance(100_000);
      first.bookmark("20");
      await until(() => events.includes("BOOKMARK"));
      await clock.advance(149_000);
      assert.equal(restarts.length, 0, "a bookmark is a sign of life");
      await clock.advance(1_500);
      await until(() => restarts.length === 1);
      await watching(2, 200);
      assert.equal(api.lists.length, 2, "a server that went back says nothing to a watch from its future");
    });

    it("half a line", async () => {
      start();
      await watching();
      api.exchanges[1]?.response.write('{"type":"ADDED","object":{"metadata":');
      api.watches[0]?.reset();
      (await watching(2, 200)).send("ADDED", aPod("a", "11"));
      await until(() => changes.length === 1);
    });
  });

  it("ends when told to, in the middle of a watch", async () => {
    start();
    await watching();
    abort.abort();
    await running;
    assert.equal(clock.pending(), 0);
  });

  it("ends when told to, in the middle of a pause", async () => {
    api.troubles.push((exchange) => exchange.refuse(500, "InternalError"));
    start();
    await until(() => restarts.length === 1);
    abort.abort();
    await running;
  });
});

function describeChange(old: Stored<KubeObject> | undefined, now: Stored<KubeObject> | undefined): string {
  if (old === undefined) return `+${now?.metadata.name}@${now?.metadata.resourceVersion}`;
  if (now === undefined) return `-${old.metadata.name}@${old.metadata.resourceVersion}`;
  return `${old.metadata.name}@${old.metadata.resourceVersion}→${now.metadata.resourceVersion}`;
}
