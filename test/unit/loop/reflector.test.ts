import assert from "node:assert/strict";
import { aPod, describeChange, reflectedPods } from "./reflected-pods.ts";

describe("the reflector", () => {
  const aReflector = reflectedPods();

  it("has synced when the first list is complete, pages and all, and not before", async () => {
    const { api, reflector, changes, start } = await aReflector();
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
    const { api, reflector, start } = await aReflector();
    start();
    await reflector.synced();
    // With a version, "0" too, a server may answer from what it knows already (Kubernetes, "API concepts", resource versions).
    assert.deepEqual(
      api.lists.map(({ query }) => [query.get("resourceVersion"), query.get("resourceVersionMatch")]),
      [[null, null]],
    );
  });

  it("watches from the list's version, with bookmarks, selectors and an end", async () => {
    const { start, watching } = await aReflector();
    start();
    const { query } = await watching();
    assert.equal(query.get("resourceVersion"), "10");
    assert.equal(query.get("allowWatchBookmarks"), "true");
    assert.equal(query.get("labelSelector"), "a=b");
    assert.equal(query.get("timeoutSeconds"), "450");
  });

  it("follows what happens", async () => {
    const { api, reflector, changes, start, until, watching } = await aReflector();
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
    const { api, reflector, start } = await aReflector();
    const heavy = { ...aPod("a", "3"), surprise: { kept: true } };
    Object.assign(heavy.metadata, { managedFields: [{ manager: "kubectl" }] });
    api.items = [heavy];
    start();
    await reflector.synced();
    const kept: unknown = reflector.get("shop", "a");
    assert.deepEqual(kept, { ...aPod("a", "3"), surprise: { kept: true } });
  });

  it("the same name with another UID is a deletion and an addition", async () => {
    const { api, changes, start, until, watching } = await aReflector();
    api.items = [aPod("a", "3", "first")];
    start();
    (await watching()).send("ADDED", aPod("a", "12", "second"));
    await until(() => changes.length === 3);
    assert.deepEqual(changes.slice(1), ["-a@3", "+a@12"]);
  });

  it("a duplicate is told to nobody", async () => {
    const { api, changes, start, until, watching } = await aReflector();
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
    const { reflector, restarts, handlerErrors, start, until, watching } = await aReflector();
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
    const { api, reflector, changes, start, until, watching } = await aReflector();
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
    const { reflector } = await aReflector();
    const patience = AbortSignal.abort(new Error("enough"));
    await assert.rejects(reflector.synced(patience), /enough/);
  });

  it("ends when told to, in the middle of a watch", async () => {
    const { clock, start, stop, watching } = await aReflector();
    start();
    await watching();
    await stop();
    assert.equal(clock.pending(), 0);
  });

  it("ends when told to, in the middle of a pause", async () => {
    const { api, restarts, start, stop, until } = await aReflector();
    api.troubles.push((exchange) => exchange.refuse(500, "InternalError"));
    start();
    await until(() => restarts.length === 1);
    await stop();
  });
});
