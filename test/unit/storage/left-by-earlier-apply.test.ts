import assert from "node:assert/strict";
import type { JournalEntry } from "../../../operator/gateway/protocol.ts";
import { appendJournal, readJournal } from "../../../operator/storage/journal.ts";
import { leftoversOf } from "../../../operator/storage/leftovers.ts";
import { journalsOf } from "../../../operator/storage/record-of-applies.ts";
import { AT, aPod } from "./claimants.ts";
import { aRecordsStory } from "./records-story.ts";

type Story = Awaited<ReturnType<typeof aRecordsStory>>;

const entry = (event: JournalEntry["event"], action: string, idValue?: string): JournalEntry => ({
  at: AT.toISOString(),
  event,
  address: "a.b",
  action,
  ...(idValue === undefined ? {} : { idKey: "id", idValue }),
});
const created = (id: string) => [entry("apply_start", "create"), entry("apply_complete", "create", id)];
const deleted = (id: string) => [entry("apply_start", "delete", id), entry("apply_complete", "delete")];

/** The engine of that Run hands over a state in which `a.b` is the object with this id, or nothing. */
async function stores(story: Story, number: number, id?: string): Promise<void> {
  const instances = id === undefined ? [] : [{ attributes: { id } }];
  const resources = [{ mode: "managed", type: "a", name: "b", instances }];
  const state = { version: 4, terraform_version: "1.12.6", serial: number, lineage: "l", resources };
  const blob = await story.store.putBlob(await story.record(), "state", Buffer.from(JSON.stringify(state)));
  const version = { lineage: "l", serial: number, resources: instances.length, blob, run: aPod(number).run };
  await story.change((old) => ({
    ...old,
    state: { ...version, at: AT.toISOString() },
    history: old.state === undefined ? old.history : [old.state, ...old.history],
  }));
}

async function leftBy(story: Story, number: number): Promise<readonly object[]> {
  const record = await story.record();
  const { run } = aPod(number);
  const entries = await readJournal(
    story.store,
    record,
    journalsOf(record).find((journal) => journal.run === run),
  );
  assert.ok(entries.length > 0);
  return leftoversOf(story.store, record, { run, entries, isCutOff: true });
}

/** Run 1 has made `a.b` with the id 1, and was cut off in something else. */
async function cutOff({ isStored }: { readonly isStored: boolean }): Promise<Story> {
  const story = await aRecordsStory();
  await story.asks(1);
  await appendJournal(story.store, aPod(1), 0, created("1"));
  if (isStored) await stores(story, 1, "1");
  await story.dies(1);
  return story;
}

/** Run 2 goes on from there, and fails in something else. */
async function goesOn(story: Story, entries: readonly JournalEntry[], id?: string): Promise<void> {
  const pod = { ...aPod(2), phase: "Apply" as const };
  await story.asks(2, { phase: "Apply" });
  await appendJournal(story.store, pod, 0, entries);
  await stores(story, 2, id);
  await story.ends(2, "Failed");
}

describe("What an interrupted apply has left", () => {
  it("is not what its state had, whatever an apply after it made of that", async () => {
    const replaced = await cutOff({ isStored: true });
    assert.deepEqual(await leftBy(replaced, 1), []);
    await goesOn(replaced, [...deleted("1"), ...created("2")], "2");
    assert.deepEqual(await leftBy(replaced, 1), []);
    const removed = await cutOff({ isStored: true });
    await goesOn(removed, deleted("1"));
    assert.deepEqual(await leftBy(removed, 1), []);
  });

  it("is what no state had, also when an apply after it has made another in its place", async () => {
    const story = await cutOff({ isStored: false });
    assert.deepEqual(await leftBy(story, 1), [{ address: "a.b", id: "1" }]);
    await goesOn(story, created("2"), "2");
    assert.deepEqual(await leftBy(story, 1), [{ address: "a.b", id: "1", replaces: true }]);
    assert.deepEqual(await leftBy(story, 2), []);
  });
});
