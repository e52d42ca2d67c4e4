import assert from "node:assert/strict";
import fc from "fast-check";
import type { KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import { createStore } from "../../../operator/loop/store.ts";

const anObject = (name: string, uid = `uid-${name}`, version = "1", labels = {}): Stored<KubeObject> => ({
  metadata: {
    name,
    namespace: "shop",
    uid,
    resourceVersion: version,
    creationTimestamp: "2030-01-01T00:00:00Z",
    labels,
  },
});

const byTeam = { team: (object: Stored<KubeObject>) => Object.values(object.metadata.labels ?? {}) };

describe("the store of a reflector", () => {
  it("the same name with another UID is one object gone and another there", () => {
    const store = createStore();
    const [first, second] = [anObject("a", "1"), anObject("a", "2")];
    store.put(first);
    assert.deepEqual(store.put(second), [
      { old: first, now: undefined },
      { old: undefined, now: second },
    ]);
  });

  it("a repeated event says nothing", () => {
    const store = createStore();
    store.put(anObject("a"));
    assert.deepEqual(store.put(anObject("a")), []);
  });

  it("the late end of an earlier object does not remove the one that has its name now", () => {
    const store = createStore();
    store.put(anObject("a", "2"));
    assert.deepEqual(store.remove(anObject("a", "1")), []);
    assert.ok(store.get("shop/a"));
  });

  it("what is not on a complete list has gone", () => {
    const store = createStore();
    const [a, b, c] = [anObject("a"), anObject("b"), anObject("c")];
    store.replace([a, b]);
    assert.deepEqual(store.replace([b, c]), [
      { old: a, now: undefined },
      { old: undefined, now: c },
    ]);
  });

  it("an index that throws leaves the object out of itself only", () => {
    const errors: unknown[] = [];
    const indexes = {
      ...byTeam,
      broken: () => {
        throw new Error("bug");
      },
    };
    const store = createStore(indexes, (error) => errors.push(error));
    store.put(anObject("a", "1", "1", { team: "red" }));
    assert.equal(store.byIndex("team", "red").length, 1);
    assert.equal(store.byIndex("broken", "red").length, 0);
    assert.equal(errors.length, 1);
  });

  it("an index that nobody declared is a mistake", () => {
    assert.throws(() => createStore().byIndex("nope", "x"), TypeError);
  });

  it("indexes agree with the objects, whatever happened before", () => {
    const event = fc.record({
      remove: fc.boolean(),
      name: fc.constantFrom("a", "b", "c"),
      uid: fc.constantFrom("1", "2"),
      version: fc.nat(5).map(String),
      team: fc.constantFrom("red", "blue"),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const store = createStore(byTeam);
        for (const { remove, name, uid, version, team } of events) {
          const object = anObject(name, uid, version, { team });
          if (remove) store.remove(object);
          else store.put(object);
        }
        for (const team of ["red", "blue"]) {
          const expected = store.values().filter((object) => object.metadata.labels?.team === team);
          assert.deepEqual(new Set(store.byIndex("team", team)), new Set(expected));
        }
      }),
    );
  });
});
