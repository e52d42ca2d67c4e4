import assert from "node:assert/strict";
import type { KubeObject, Resource } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS, PODS, RUNS, SECRETS } from "../../operator/cluster/resources.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import type { Place } from "./place.ts";
import { inPlace, life, live } from "./story.ts";
import { isAsCalm } from "./sweep.ts";

const EVERY_MS = 100;

/** Somebody writes an annotation into everything that there is of the story, again and again. */
async function meddle({ client, namespace, home }: Place, signal: AbortSignal): Promise<number> {
  let touched = 0;
  const touchAll = async (resource: Resource, within: string) => {
    const { items } = await client.list<KubeObject>(resource, { namespace: within });
    await Promise.all(
      items.map(async ({ metadata }) => {
        touched += 1;
        const annotations = { "example.com/touched": String(touched) };
        // Gone by now: that happens to whoever touches everything.
        await client.mergePatch(resource, within, metadata.name, { metadata: { annotations } }).catch(() => {});
      }),
    );
  };
  while (!signal.aborted) {
    await Promise.all([
      ...[ENVIRONMENTS, RUNS, PODS].map((resource) => touchAll(resource, namespace)),
      touchAll(SECRETS, home),
    ]);
    await systemClock.sleep(EVERY_MS, signal).catch(() => {});
  }
  return touched;
}

describe("While somebody touches every object ten times a second", function () {
  this.timeout(180_000);

  it("an Environment is created, changed and deleted as ever", async () => {
    const calm = await life();
    let touched = 0;
    const ending = await inPlace({}, async (place) => {
      const stop = new AbortController();
      const meddling = meddle(place, stop.signal);
      await live(place).finally(() => stop.abort());
      touched = await meddling;
    });
    isAsCalm(ending, calm);
    assert.ok(touched > 100);
  });
});
