import assert from "node:assert/strict";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { aComponent, anEnvironment, aRecord, T0 } from "../../fakes/objects.ts";
import { anAppliedStory, aVersion, blob, LOSSES } from "./lost-story.ts";
import { aStory } from "./story.ts";

describe("A lost state", () => {
  for (const [what, happens] of Object.entries(LOSSES)) {
    it(`stops everything: ${what}`, () => {
      const story = anAppliedStory(happens);
      story.edit((environment) => ({ ...environment, spec: { ...environment.spec, engine: { name: "terraform" } } }));
      story.round();
      assert.equal(story.verdict("a").reason, "StateLost");
      assert.equal(story.verdict("a").state, "Stalled");
      assert.equal(story.started.length, 1);
    });

    it(`is never nothing to destroy: ${what}`, () => {
      const story = anAppliedStory(happens);
      story.delete();
      const decision = story.round();
      assert.equal(decision.type, "dismantle", "the object stays");
      assert.equal(story.verdict("a").reason, "StateLost");
      assert.equal(story.started.length, 1);
    });
  }

  it("is also that of a component that is no longer declared", () => {
    const story = anAppliedStory(() => undefined);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("b")] } }));
    assert.equal(story.verdict("a").reason, "StateLost");
  });

  it("is that of a failed apply, too", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.end("a", "Failed", { reason: "ApplyFailed", stateSerial: 3, stateLineage: "lineage-1" });
    story.records.clear();
    story.pass(60_000);
    assert.equal(story.verdict("a").reason, "StateLost");
  });

  for (const [what, happens] of Object.entries(LOSSES))
    it(`may be given up: with Retain the object goes, and nothing is destroyed: ${what}`, () => {
      const story = anAppliedStory(happens, { deletionPolicy: "Retain" });
      story.delete();
      const stored = story.records.get("a");
      story.settle();
      assert.equal(story.decision().type, "letGo");
      assert.deepEqual(story.records.get("a"), stored && { ...stored, ownership: "Released" });
      assert.equal(story.started.length, 1);
    });

  it("is not given up while somebody has it locked", () => {
    const lock = { id: "l", run: "r", runUid: "a-1", pod: "p", podUid: "u", operation: "", since: "" };
    const story = anAppliedStory((record) => ({ ...LOSSES["an older record was restored"](record), lock }), {
      deletionPolicy: "Retain",
    });
    story.delete();
    story.round();
    assert.equal(story.verdict("a").reason, "LockOrphaned");
    assert.equal(story.records.get("a")?.ownership, "Owned");
  });

  it("is settled by what a person writes: from then on that counts", () => {
    const at = new Date(T0 + 120_000).toISOString();
    const story = anAppliedStory((record) => ({
      ...record,
      state: aVersion(3, "lineage-2"),
      written: { how: "Push", by: "jane", at, serial: 3 },
    }));
    story.pass(120_000);
    assert.equal(story.verdict("a").state, "Ready");
  });

  /** A destroy by that Run ended at the very moment at which Run 1 did, and is what the record shows. */
  const afterDestroyBy = (number: number) => (record: ComponentRecord) => {
    const { applied: _applied, state: _state, ...bare } = record;
    const by = { run: "destroyer", runUid: "destroyer", podUid: "p" };
    const at = new Date(T0).toISOString();
    return {
      ...bare,
      mayHoldObjects: false,
      claim: { ...by, number, phase: "Plan", at } as const,
      lastResult: { ...by, outcome: { result: "Destroyed", reason: "Destroyed", message: "" }, at } as const,
    };
  };

  it("is not excused by a destroy from before the apply, whatever the clocks say", () => {
    assert.equal(anAppliedStory(afterDestroyBy(0)).verdict("a").reason, "StateLost");
  });

  it("is no loss where the destroy came later, and its Run is not known yet", () => {
    assert.notEqual(anAppliedStory(afterDestroyBy(2)).verdict("a").reason, "StateLost");
  });

  it("is not seen where a moment later the cache has caught up", () => {
    const story = anAppliedStory(() => undefined);
    story.pass(-50_000);
    assert.equal(story.verdict("a").state, "Pending");
    assert.ok(story.verdict("a").wakeAtMs);
  });

  it("is told at once where the clock was set back by an hour: nobody waits for that hour to come again", () => {
    const story = anAppliedStory(() => undefined);
    story.pass(-3_600_000);
    assert.equal(story.verdict("a").reason, "StateLost");
  });

  it("is not an empty one: that is forgotten at the end of a life, without a Run, and the next life begins with none", () => {
    for (const ending of [
      ["Failed", { reason: "PlanFailed" }],
      ["Unchanged", {}],
    ] as const) {
      const story = aStory(anEnvironment([aComponent("a")]));
      story.round();
      const [result, more] = ending;
      story.end("a", result, { ...more, stateSerial: 3, stateLineage: "lineage-1", resources: 0 });
      story.records.set("a", aRecord("a", { mayHoldObjects: false }));
      story.pass(60_000);
      story.annotate({ "terrarium.dev/requestedAt": "now" });
      assert.notEqual(story.verdict("a").reason, "StateLost", result);
      story.round();
      assert.deepEqual(story.started, ["Apply a #1", "Apply a #2"]);
    }
  });

  it("is not a component that was destroyed, nor one that never had anything", () => {
    const destroyed = anAppliedStory((record) => record);
    destroyed.delete();
    destroyed.round();
    destroyed.end("a", "Destroyed");
    destroyed.records.clear();
    assert.equal(destroyed.decision().type, "letGo");

    const never = aStory(anEnvironment([aComponent("a")]));
    never.round();
    never.end("a", "Unchanged");
    never.records.clear();
    never.pass(60_000);
    never.delete();
    assert.equal(never.decision().type, "letGo");
  });
});

describe("A record from before a destroy that has ended well", () => {
  it("is given a moment, and then counts; also where the clock was set back by an hour", () => {
    const story = anAppliedStory((record) => record);
    const before = story.records.get("a") ?? assert.fail();
    story.delete();
    story.round();
    story.end("a", "Destroyed");
    story.records.set("a", before);
    assert.equal(story.verdict("a").state, "Pending");
    for (const ms of [60_000, -3_600_000]) {
      story.pass(ms);
      assert.equal(story.verdict("a").state, "Destroying");
    }
  });
});

describe("A state that could not be saved", () => {
  it("holds every plan back until a person has restored one; then a fresh plan begins by itself", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.end("a", "Failed", { reason: "StateUnsaved", retry: "Never", stateSerial: 3, stateLineage: "lineage-1" });
    const record = story.records.get("a");
    assert.ok(record);
    const recovery = { blob: { ...blob, kind: "recovery" }, run: "r", at: new Date(T0).toISOString() } as const;
    story.records.set("a", { ...record, mayHoldObjects: true, state: aVersion(3), recovery });
    story.pass(24 * 3_600_000);
    story.round();
    assert.equal(story.verdict("a").reason, "StateUnsaved");
    assert.equal(story.started.length, 1);

    const at = new Date(T0 + 24 * 3_600_000).toISOString();
    const written = { how: "Restore", by: "jane", at, serial: 4 } as const;
    story.records.set("a", { ...record, mayHoldObjects: true, state: aVersion(4), written });
    story.round();
    assert.deepEqual(story.started, ["Apply a #1", "Apply a #2"]);
  });
});

describe("A lock that nobody gives back", () => {
  const since = new Date(T0).toISOString();
  const lock = { id: "l", pod: "p", podUid: "u", operation: "", since };

  it("of a Run that has ended is orphaned, and stops everything with the way to release it", () => {
    const story = anAppliedStory((record) => ({ ...record, lock: { ...lock, run: "r", runUid: "a-1" } }));
    assert.equal(story.verdict("a").reason, "LockOrphaned");
    assert.match(story.verdict("a").message, /^release the lock/);
    assert.equal(story.started.length, 1);
  });

  it("of a Run that nobody knows is foreign; of one that claimed here and is gone, orphaned", () => {
    const foreign = anAppliedStory((record) => ({ ...record, lock: { ...lock, run: "x", runUid: "unknown" } }));
    assert.equal(foreign.verdict("a").reason, "LockForeign");
    const claim = { run: "x", runUid: "gone", number: 2, phase: "Plan", podUid: "u", at: since } as const;
    const gone = anAppliedStory((record) => ({ ...record, claim, lock: { ...lock, run: "x", runUid: "gone" } }));
    assert.equal(gone.verdict("a").reason, "LockOrphaned");
  });

  it("is given a moment: the release may be on its way to the cache; not the hour by which the clock was set back", () => {
    const story = anAppliedStory((record) => ({ ...record, lock: { ...lock, run: "r", runUid: "a-1" } }));
    story.pass(-50_000);
    assert.equal(story.verdict("a").state, "Pending");
    story.pass(-3_600_000);
    assert.equal(story.verdict("a").reason, "LockOrphaned");
  });
});

describe("A claim without a lock that nobody gives up", () => {
  const since = new Date(T0).toISOString();
  const claim = { run: "x", runUid: "gone", number: 2, phase: "Plan", pod: "p", podUid: "u", at: since } as const;
  const NEW_OWNER = { adopt: { uid: "former" } };
  const ofFormerOwner = (record: ComponentRecord) => ({ ...record, owner: { environmentUid: "former" }, claim });

  it("of a Run that is gone is orphaned: it stops everything, says how to release it, and is shown", () => {
    const story = anAppliedStory((record) => ({ ...record, claim }));
    story.round();
    const { state, reason, message } = story.verdict("a");
    assert.deepEqual([state, reason], ["Stalled", "LockOrphaned"]);
    assert.match(message, /^release the claim of the state \(docs\/state\.md\) when nothing of pod p runs any more/);
    assert.equal(story.started.length, 1);
    story.report();
    const lock = story.environment().status?.components?.[0]?.lock;
    assert.deepEqual(lock, { run: "x", pod: "p", since, standing: "Orphaned" });
  });

  it("of a Run that has ended is orphaned, when a record from before its end was restored", () => {
    const story = anAppliedStory((record) => ({ ...record, claim: { ...claim, runUid: "a-1" } }));
    assert.equal(story.verdict("a").reason, "LockOrphaned");
  });

  it("of the owner from whom the state is to be adopted is foreign, as its lock would be: its Runs are not seen", () => {
    const lock = { id: "l", run: "x", runUid: "gone", pod: "p", podUid: "u", operation: "", since };
    for (const more of [{}, { lock }]) {
      const story = anAppliedStory((record) => ({ ...ofFormerOwner(record), ...more }), NEW_OWNER);
      assert.equal(story.verdict("a").reason, "LockForeign");
      assert.match(story.verdict("a").message, /of another Environment holds it$/);
    }
  });

  it("is nothing where it is fenced, and that of a Run under way is its own affair", () => {
    const fenced = { why: "its result is recorded", at: since };
    const ended = anAppliedStory((record) => ({ ...record, claim: { ...claim, fenced } }));
    assert.equal(ended.verdict("a").state, "Ready");
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    const runUid = story.openRuns()[0]?.metadata.uid ?? "";
    story.records.set("a", aRecord("a", { mayHoldObjects: false, claim: { ...claim, runUid } }));
    story.pass(600_000);
    assert.equal(story.verdict("a").reason, "Progressing");
    story.report();
    assert.equal(story.environment().status?.components?.[0]?.lock, undefined);
  });

  it("is given a moment: that of a Run which is not known yet waits for it, that of one which has just ended is no news", () => {
    const unknown = anAppliedStory((record) => ({ ...record, claim }));
    unknown.pass(-50_000);
    assert.equal(unknown.verdict("a").state, "Pending");
    assert.ok(unknown.verdict("a").wakeAtMs);
    const ended = anAppliedStory((record) => ({ ...record, claim: { ...claim, runUid: "a-1" } }));
    ended.pass(-50_000);
    assert.equal(ended.verdict("a").state, "Ready");
    ended.report();
    assert.equal(ended.environment().status?.components?.[0]?.lock, undefined);
  });
});
