import assert from "node:assert/strict";
import { ApiError, ApiUnreachable } from "../../../operator/cluster/errors.ts";
import { createEventRecorder, type RecorderOptions } from "../../../operator/cluster/events.ts";
import type { EventFacts, KubeObject, ObjectReference, Stored } from "../../../operator/cluster/ports.ts";
import { fakeClock, settle } from "../loop/fake-clock.ts";

const shop: ObjectReference = {
  apiVersion: "terrarium.dev/v1alpha1",
  kind: "Environment",
  namespace: "team-shop",
  name: "shop",
  uid: "u1",
};
const planned: EventFacts = { type: "Normal", reason: "Planned", message: "1 to add" };

interface WrittenEvent extends KubeObject {
  readonly note?: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

function aRecorder(options: Partial<RecorderOptions> = {}, meet: () => Promise<void> | undefined = () => undefined) {
  const clock = fakeClock();
  const created: WrittenEvent[] = [];
  const patched: { name: string; patch: unknown }[] = [];
  const dropped: string[] = [];
  const writer: RecorderOptions["writer"] = {
    async create<T extends KubeObject>(...[, object]: Parameters<RecorderOptions["writer"]["create"]>) {
      await meet();
      created.push(object);
      return object as Stored<T>;
    },
    async mergePatch<T extends KubeObject>(
      ...[, , name, patch]: Parameters<RecorderOptions["writer"]["mergePatch"]>
    ): Promise<Stored<T>> {
      await meet();
      patched.push({ name, patch });
      return { metadata: { name } } as Stored<T>;
    },
  };
  const recorder = createEventRecorder({
    writer,
    clock,
    instance: "operator-0",
    onDropped: (reason) => dropped.push(reason),
    ...options,
  });
  return { clock, recorder, created, patched, dropped };
}

describe("the event recorder", () => {
  it("tells the first at once", async () => {
    const { recorder, created } = aRecorder();
    recorder.record(shop, planned);
    await settle();
    const [event] = created;
    assert.match(event?.metadata.name ?? "", /^shop\.[0-9a-f]{16}$/);
    assert.deepEqual(
      { ...event, metadata: { namespace: event?.metadata.namespace } },
      {
        metadata: { namespace: "team-shop" },
        eventTime: "2030-01-01T00:00:00.000000Z",
        reportingController: "terrarium.dev/operator",
        reportingInstance: "operator-0",
        type: "Normal",
        reason: "Planned",
        action: "Planned",
        note: "1 to add",
        regarding: shop,
      },
    );
  });

  it("folds a thousand repeats into one write when the five minutes are over", async () => {
    const { recorder, created, patched, clock } = aRecorder();
    for (let i = 0; i < 1000; i += 1) recorder.record(shop, planned);
    await clock.advance(299_000);
    assert.deepEqual([created.length, patched.length], [1, 0]);
    await clock.advance(2_000);
    assert.deepEqual(patched, [
      {
        name: created[0]?.metadata.name,
        patch: { series: { count: 1000, lastObservedTime: "2030-01-01T00:00:00.000000Z" } },
      },
    ]);
    await clock.advance(3_600_000);
    assert.equal(patched.length, 1, "quiet stays quiet");
    assert.equal(clock.pending(), 0, "and is forgotten");
  });

  it("what differs in object, reason or message is another event", async () => {
    const { recorder, created } = aRecorder();
    recorder.record(shop, planned);
    recorder.record({ ...shop, uid: "u2" }, planned);
    recorder.record(shop, { ...planned, reason: "Applied" });
    recorder.record(shop, { ...planned, message: "2 to add" });
    await settle();
    assert.equal(new Set(created.map(({ metadata }) => metadata.name)).size, 4);
  });

  it("a repeat of an event that the API server has forgotten is told anew", async () => {
    const refusals = [undefined, new ApiError({ request: "", status: 404, reason: "NotFound", message: "" })];
    const { recorder, created, clock } = aRecorder({}, () => {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      return undefined;
    });
    recorder.record(shop, planned);
    recorder.record(shop, planned);
    await clock.advance(301_000);
    assert.equal(created.length, 2);
    assert.equal(created[1]?.series?.count, 2);
  });

  it("never throws: what cannot be written is counted and dropped", async () => {
    const { recorder, dropped } = aRecorder({}, () => {
      throw new ApiUnreachable("create", "away");
    });
    recorder.record(shop, planned);
    await recorder.flush();
    assert.deepEqual(dropped, ["failed"]);
  });

  it("remembers so much and no more, and keeps so many on the way and no more", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { recorder, dropped, clock } = aRecorder({ mostRemembered: 10, mostInFlight: 5 }, () => promise);
    for (let i = 0; i < 100; i += 1) recorder.record(shop, { ...planned, message: `${i}` });
    assert.equal(dropped.filter((reason) => reason === "busy").length, 95);
    assert.equal(clock.pending(), 10);
    resolve();
    await recorder.flush();
    assert.equal(clock.pending(), 0);
  });

  it("a count does not overtake the event that it belongs to", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waits = [promise];
    const { recorder, created, patched } = aRecorder({}, () => waits.shift());
    recorder.record(shop, planned);
    await settle();
    recorder.record(shop, planned);
    const flushed = recorder.flush();
    await settle();
    assert.equal(patched.length, 0);
    resolve();
    await flushed;
    assert.deepEqual([created.length, patched.length], [1, 1]);
  });

  it("writes the counts that wait before the process ends", async () => {
    const { recorder, patched } = aRecorder();
    recorder.record(shop, planned);
    await settle();
    recorder.record(shop, planned);
    await recorder.flush();
    assert.equal(patched.length, 1);
  });

  it("cuts a message at 1024 bytes and not within a character", async () => {
    const { recorder, created } = aRecorder();
    recorder.record(shop, { ...planned, message: "ü".repeat(2000) });
    await settle();
    const note = created[0]?.note ?? "";
    assert.ok(Buffer.byteLength(note) <= 1024 && Buffer.byteLength(note) > 1018);
    assert.match(note, /^ü+…$/);
  });
});
