import assert from "node:assert/strict";
import { createClient } from "../../../operator/cluster/client.ts";
import type { KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import { PODS } from "../../../operator/cluster/resources.ts";
import { createReflector } from "../../../operator/loop/reflector.ts";
import { transportTo } from "../cluster/fake-api.ts";
import { fakeClock } from "./fake-clock.ts";
import { type OpenWatch, scriptedApi } from "./scripted-list-watch.ts";

export const aPod = (name: string, version: string, uid = `uid-${name}`): Stored<KubeObject> => ({
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

/** Reflectors of pods, each on a server that a test scripts and on a clock that it moves; they end with their test. */
export function reflectedPods() {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  return async () => {
    const api = await scriptedApi();
    const clock = fakeClock();
    const abort = new AbortController();
    const changes: string[] = [];
    const restarts: { error: unknown; pauseMs: number }[] = [];
    const handlerErrors: unknown[] = [];
    const events: string[] = [];
    const reflector = createReflector({
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

    let running = Promise.resolve();
    const start = (): void => {
      running = reflector.run(abort.signal);
    };
    const stop = async (): Promise<void> => {
      abort.abort();
      await running;
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
    stops.push(async () => {
      await stop();
      await api.close();
    });
    return { api, clock, reflector, changes, restarts, handlerErrors, events, start, stop, until, watching };
  };
}

/** `+name@version`, `name@old→new` or `-name@version`. */
export function describeChange(old: Stored<KubeObject> | undefined, now: Stored<KubeObject> | undefined): string {
  if (old === undefined) return `+${now?.metadata.name}@${now?.metadata.resourceVersion}`;
  if (now === undefined) return `-${old.metadata.name}@${old.metadata.resourceVersion}`;
  return `${old.metadata.name}@${old.metadata.resourceVersion}→${now.metadata.resourceVersion}`;
}
