import assert from "node:assert/strict";
import { aPod, reflectedPods } from "./reflected-pods.ts";

describe("the reflector goes on after", () => {
  const aReflector = reflectedPods();

  it("a list that fails at the start, for as long as it takes, with growing pauses", async () => {
    const { api, reflector, restarts, start, until } = await aReflector();
    for (let i = 0; i < 9; i += 1) api.troubles.push((exchange) => exchange.refuse(403, "Forbidden"));
    start();
    await until(() => reflector.hasSynced(), 500);
    assert.deepEqual(
      restarts.map(({ pauseMs }) => pauseMs / 1000),
      [1, 2, 4, 8, 16, 30, 30, 30, 30],
    );
  });

  it("a reset of the connection, from where it was, without listing again", async () => {
    const { api, changes, start, until, watching } = await aReflector();
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
    const { clock, restarts, start, watching } = await aReflector();
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
    const { api, restarts, start, watching } = await aReflector();
    api.troubles.push(({ reply }) => reply(200, { metadata: { resourceVersion: "5" } }));
    for (let i = 0; i < 3; i += 1) api.troubles.push(({ response }) => response.writeHead(200).end());
    start();
    await watching(1, 200);
    assert.equal(restarts.length, 3);
    assert.equal(api.lists.length, 2);
  });

  it("an event that the server never sent: lists again when an hour has passed, and not before", async () => {
    const { api, clock, reflector, start, until } = await aReflector();
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
    const { api, changes, start, watching } = await aReflector();
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
    const { api, start, watching } = await aReflector();
    start();
    const watch = await watching();
    api.version = "50";
    watch.error(410, "Expired");
    assert.equal((await watching(2, 200)).query.get("resourceVersion"), "50");
    assert.equal(api.lists.length, 2);
  });

  it("410 between two pages of a list, from the first page", async () => {
    const { api, reflector, changes, start, until } = await aReflector();
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
    const { api, restarts, start, watching } = await aReflector();
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
    const { api, start, watching } = await aReflector();
    api.troubles.push(({ reply }) => reply(200, { metadata: { resourceVersion: "9999" }, items: [] }));
    for (let i = 0; i < 3; i += 1) api.troubles.push((exchange) => exchange.refuse(500, "InternalError"));
    start();
    assert.equal((await watching(1, 200)).query.get("resourceVersion"), "10");
    assert.equal(api.lists.length, 2);
  });

  it("silence, which not even a bookmark breaks", async () => {
    const { api, clock, restarts, events, start, until, watching } = await aReflector();
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
    const { api, changes, start, until, watching } = await aReflector();
    start();
    await watching();
    api.exchanges[1]?.response.write('{"type":"ADDED","object":{"metadata":');
    api.watches[0]?.reset();
    (await watching(2, 200)).send("ADDED", aPod("a", "11"));
    await until(() => changes.length === 1);
  });
});
