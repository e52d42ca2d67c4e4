import assert from "node:assert/strict";
import type { Cache, KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import { createController, type Source, sourceOf } from "../../../operator/loop/controller.ts";
import { keyFor, keyOf, splitKey } from "../../../operator/loop/keys.ts";
import { settled } from "../../../operator/loop/outcome.ts";
import { fakeClock, settle } from "./fake-clock.ts";

const aRun = (name: string, environment: string): Stored<KubeObject> => ({
  metadata: {
    name,
    namespace: "shop",
    uid: name,
    resourceVersion: "1",
    creationTimestamp: "2030-01-01T00:00:00Z",
    labels: { environment },
  },
});

function aSource() {
  const synced = Promise.withResolvers<void>();
  let enqueue: ((key: string) => void) | undefined;
  const source: Source = {
    synced: (signal) =>
      new Promise((resolve, reject) => {
        void synced.promise.then(resolve);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
    subscribe(listener) {
      enqueue = listener;
      return () => {
        enqueue = undefined;
      };
    },
  };
  return {
    source,
    sync: synced.resolve,
    change: (key: string) => enqueue?.(key),
    subscribed: () => enqueue !== undefined,
  };
}

describe("a controller", () => {
  it("works on nothing until every cache is filled, and then on everything", async () => {
    const [runs, pods] = [aSource(), aSource()];
    const worked: string[] = [];
    const controller = createController({
      clock: fakeClock(),
      sources: [runs.source, pods.source],
      reconcile: async (key) => {
        worked.push(key);
        return settled;
      },
    });
    const abort = new AbortController();
    const running = controller.run(abort.signal);
    runs.change("shop/a");
    runs.sync();
    await settle();
    assert.deepEqual(worked, []);
    pods.sync();
    await settle();
    pods.change("shop/b");
    await settle();
    assert.deepEqual(worked, ["shop/a", "shop/b"]);
    abort.abort();
    await running;
    assert.equal(runs.subscribed(), false);
  });

  it("ends in good order when it is stopped before the caches are filled", async () => {
    const { source } = aSource();
    const controller = createController({ clock: fakeClock(), sources: [source], reconcile: async () => settled });
    const abort = new AbortController();
    const running = controller.run(abort.signal);
    abort.abort(new Error("stop"));
    await running;
  });

  it("aborts a round that takes too long, so that nobody holds a worker for ever", async () => {
    const { source, sync, change } = aSource();
    const clock = fakeClock();
    const reasons: unknown[] = [];
    const controller = createController({
      clock,
      sources: [source],
      roundLimitMs: 5_000,
      reconcile: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
      hooks: { onRetry: (_key, _failures, _afterMs, error) => reasons.push(error) },
    });
    const abort = new AbortController();
    const running = controller.run(abort.signal);
    sync();
    change("shop/a");
    await clock.advance(5_500);
    assert.match(String(reasons[0]), /longer than 5000 ms/);
    abort.abort();
    await running;
  });

  it("a source tells of the key an object had and of the one it has now", () => {
    let handler: Parameters<Cache<KubeObject>["onChange"]>[0] | undefined;
    const cache: Pick<Cache<KubeObject>, "onChange" | "synced"> = {
      synced: async () => {},
      onChange(given) {
        handler = given;
        return () => {};
      },
    };
    const keys: string[] = [];
    const source = sourceOf(cache, ({ metadata }) => [keyFor(metadata.namespace, metadata.labels?.environment ?? "")]);
    source.subscribe((key) => keys.push(key));
    handler?.(aRun("r", "red"), aRun("r", "blue"));
    handler?.(aRun("r", "blue"), aRun("r", "blue"));
    handler?.(aRun("r", "blue"), undefined);
    assert.deepEqual(keys, ["shop/red", "shop/blue", "shop/blue", "shop/blue"]);
  });

  it("keys can be taken apart again", () => {
    assert.deepEqual(splitKey(keyOf(aRun("r", "red"))), { namespace: "shop", name: "r" });
    assert.deepEqual(splitKey(keyFor(undefined, "node-1")), { namespace: "", name: "node-1" });
  });
});
