import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { planStanding } from "../../../operator/environment/plan-standing.ts";
import { aComponent, anEnvironment, anOutput, aRecord } from "../../fakes/objects.ts";
import { loseRecord, makeUpFor } from "./lost-record.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const vpc = { name: "vpc", valueFrom: { output: { component: "a", name: "id" } } };
const output = (digest: string) => [{ ...anOutput("id"), digest }];
const night = { lifetime: { sleep: { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" } } };

/** `a`, and `b` which uses an output of it. */
function aStoryOfTwo(spec: object = {}, more: object = {}) {
  const user = aComponent("b", { terraform: { path: ".", variables: [vpc] }, ...more });
  const story = aStory(anEnvironment([aComponent("a", more), user], { spec }));
  const recordOf = () => story.records.get("a") ?? assert.fail();
  return {
    story,
    /** The open Run of `a` has claimed the state, and its plan waits. */
    hold() {
      const run = story.hold("a");
      const { name, uid } = run.metadata;
      const fenced = { why: "its plan waits", at: "" };
      const claim = {
        run: name,
        runUid: uid,
        number: run.spec.number,
        phase: "Plan",
        podUid: "p",
        at: "",
        fenced,
      } as const;
      story.records.set("a", { ...recordOf(), claim });
      return run;
    },
    /** A person puts another state in; the clock of the replica that takes it is ahead by so much. */
    replace(clockAheadMs = 0) {
      story.pass(MINUTE_MS);
      const at = new Date(story.now() + clockAheadMs).toISOString();
      const newestRun = Math.max(0, ...story.runs().map(({ spec }) => (spec.component === "a" ? spec.number : 0)));
      const written = { how: "Restore", by: "jane", at, serial: 9, newestRun, replaced: true } as const;
      story.records.set("a", { ...recordOf(), written });
      story.pass(MINUTE_MS);
    },
    untilHour(hour: number): void {
      while (new Date(story.now()).getUTCHours() !== hour) story.pass(10 * MINUTE_MS);
    },
    change: (spec: Partial<EnvironmentSpec>) =>
      story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } })),
    required: () => story.openRuns()[0]?.spec.rules?.approval?.required,
    /** What was begun since both were ready. */
    begun: () => story.started.filter((what) => !what.endsWith("#1")),
  };
}

function aReadyStory(...args: Parameters<typeof aStoryOfTwo>) {
  const two = aStoryOfTwo(...args);
  two.story.settle({ a: output("first") });
  return two;
}

/** Both are ready when a person puts another state of `a` in, and nothing is decided about it yet. */
function aReplacedStory(...args: Parameters<typeof aStoryOfTwo>) {
  const two = aReadyStory(...args);
  two.replace();
  return two;
}

describe("A ready component whose state a person replaces", () => {
  it("is planned again, for a person to approve, though nobody has to be asked for plans here", () => {
    const { story, hold, required } = aReplacedStory();
    story.round();
    assert.deepEqual(story.openRuns()[0]?.spec.cause, { type: "StateReplaced", detail: "jane restored the state" });
    assert.equal(required(), 1);
    hold();
    const { state, message } = story.verdict("a");
    assert.equal(state, "AwaitingApproval");
    assert.match(message, /kubectl terrarium approve .*; jane restored the state$/);
  });

  it("keeps waiting what uses its outputs, which follows when the plan is settled", () => {
    const { story, begun } = aReplacedStory();
    story.round();
    assert.equal(story.verdict("b").state, "Blocked");
    story.end("a", "Unchanged", { outputs: output("second") });
    story.round();
    assert.equal(story.verdict("a").state, "Ready");
    assert.deepEqual(begun(), ["Apply a #2", "Apply b #2"]);
  });

  for (const [what, clockAheadMs] of [
    ["right", 0],
    ["ahead", HOUR_MS],
    ["behind", -HOUR_MS],
  ] as const) {
    describe(`through a replica whose clock is ${what}`, () => {
      it("is planned once", () => {
        const { story, replace, hold, begun } = aReadyStory();
        replace(clockAheadMs);
        story.round();
        hold();
        for (let rounds = 0; rounds < 5; rounds += 1) {
          story.pass(MINUTE_MS);
          story.round();
        }
        assert.deepEqual([begun(), story.superseded], [["Apply a #2"], []]);
        story.end("a", "Applied", { outputs: output("first") });
        story.round();
        assert.equal(story.verdict("a").state, "Ready");
      });

      it("is planned anew where a plan waited: that one is void", () => {
        const { story, change, hold, replace, begun } = aReadyStory({
          approval: { required: 1, planExpiresAfter: "24h" },
        });
        change({ variables: [{ name: "size", value: 2 }] });
        story.round();
        const run = hold();
        replace(clockAheadMs);
        assert.equal(planStanding(story.observation(), run).type, "void");
        story.round();
        story.round();
        assert.deepEqual(story.superseded, ["jane restored the state meanwhile"]);
        assert.deepEqual(begun(), ["Apply a #2", "Apply a #3"]);
      });

      it("is planned anew after a plan of it was rejected, and not before", () => {
        const { story, hold, replace, begun } = aReplacedStory();
        story.round();
        hold();
        story.end("a", "Cancelled", { reason: "Rejected", message: "rejected by jane" });
        story.round();
        assert.equal(story.verdict("a").reason, "Rejected");
        assert.deepEqual(begun(), ["Apply a #2"]);
        replace(clockAheadMs);
        story.round();
        assert.deepEqual(begun(), ["Apply a #2", "Apply a #3"]);
      });

      it("is given up after its tries, also where no pod comes so far as to claim the state", () => {
        const { story, change, replace, begun } = aReadyStory();
        change({ retry: { limit: 2 } });
        replace(clockAheadMs);
        for (let rounds = 0; rounds < 20; rounds += 1) {
          story.round();
          if (story.openRuns().length > 0) story.end("a", "Failed", { reason: "PodRejected" });
          story.pass(5 * MINUTE_MS);
        }
        assert.equal(story.verdict("a").reason, "RetriesExhausted");
        assert.equal(begun().length, 3);
      });

      it("is planned although its last Run was cancelled", () => {
        const { story, hold, replace, begun } = aReadyStory();
        story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
        story.round();
        hold();
        story.end("a", "Cancelled", { reason: "Cancelled", message: "cancelled by a person" });
        replace(clockAheadMs);
        story.round();
        assert.deepEqual(begun(), ["Apply a #2", "Apply a #3"]);
      });
    });
  }
});

describe("What follows from a state that a person has put in", () => {
  it("asks a person also where something else has changed meanwhile", () => {
    const { story, change, required } = aReplacedStory();
    change({ variables: [{ name: "size", value: 2 }] });
    story.round();
    assert.equal(story.openRuns()[0]?.spec.cause.type, "SpecChanged");
    assert.equal(required(), 1);
  });

  it("asks a person also where a plan was asked for, which may have been because of another component", () => {
    const { story, required } = aReplacedStory();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    assert.equal(story.openRuns()[0]?.spec.cause.type, "Requested");
    assert.equal(required(), 1);
  });

  it("asks again after an apply of it that failed: whoever approved the first plan has not seen the next one", () => {
    const { story, required } = aReplacedStory();
    story.round();
    story.end("a", "Failed", { reason: "ApplyFailed" });
    story.pass(HOUR_MS);
    story.round();
    assert.equal(story.openRuns()[0]?.spec.cause.type, "Retry");
    assert.equal(required(), 1);
  });

  it("asks also where no apply has ever ended well", () => {
    const { story, replace, required } = aStoryOfTwo();
    story.round();
    story.end("a", "Failed", { reason: "ApplyFailed" });
    replace();
    story.pass(HOUR_MS);
    story.round();
    assert.equal(required(), 1);
  });

  for (const [how, reason] of [
    ["Applied", "Applied"],
    ["Failed", "ApplyFailed"],
  ] as const) {
    it(`asks also where the record was lost after an apply that ended as ${how}: nobody knows how old the copy is`, () => {
      const { story, hold, required } = aStoryOfTwo();
      story.round();
      story.end("a", how, { reason });
      loseRecord(story, "a");
      assert.equal(story.verdict("a").reason, "StateLost");
      makeUpFor(story, "a");
      assert.equal(required(), 1);
      hold();
      story.round();
      assert.deepEqual([story.verdict("a").state, story.superseded], ["AwaitingApproval", []], "it goes on waiting");
      story.end("a", "Failed", { reason: "ApplyFailed" });
      story.pass(HOUR_MS);
      story.round();
      assert.equal(required(), 1, "and asks once more after it has failed");
    });
  }

  it("asks nobody where a state moves in: its first plan goes by the rules", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    const at = new Date(story.now()).toISOString();
    story.records.set("a", aRecord("a", { written: { how: "Push", by: "jane", at, serial: 9, newestRun: 0 } }));
    story.handOver("a", 9, { by: "jane" });
    story.round();
    assert.equal(story.openRuns()[0]?.spec.rules, undefined);
  });

  it("asks as many people as its rules say, and exempts no plan", () => {
    const { story } = aReplacedStory({ approval: { required: 2, unless: "true", planExpiresAfter: "1h" } });
    story.round();
    assert.deepEqual(story.openRuns()[0]?.spec.rules?.approval, { required: 2, expiresAfter: "1h" });
  });

  it("waits while it is suspended", () => {
    const { story, change } = aReplacedStory();
    change({ suspend: true });
    assert.equal(story.verdict("a").state, "Suspended");
  });

  it("keeps what sleeps by being destroyed awake, with what it uses, until a person has looked", () => {
    const { story, replace, hold, begun, untilHour } = aStoryOfTwo(night, { sleep: { destroy: true } });
    untilHour(12);
    story.settle({ a: output("first") });
    untilHour(19);
    replace();
    story.round();
    hold();
    untilHour(21);
    story.round();
    assert.equal(story.verdict("a").state, "AwaitingApproval");
    story.end("a", "Applied", { outputs: output("first") });
    story.settle();
    assert.ok(begun().includes("Destroy a #3"), `now it may sleep: ${begun()}`);
  });

  it("wakes nothing that was destroyed for the night", () => {
    const { story, replace, hold, begun, untilHour } = aStoryOfTwo(night, { sleep: { destroy: true } });
    untilHour(12);
    story.settle({ a: output("first") });
    untilHour(21);
    story.settle();
    const before = begun().length;
    replace();
    story.round();
    assert.deepEqual([story.verdict("a").reason, begun().length], ["Asleep", before]);
    const record = story.records.get("a") ?? assert.fail();
    const blob = { id: "copy", kind: "recovery", digest: "sha256:00", size: 1, chunks: 1 } as const;
    story.records.set("a", { ...record, recovery: { blob, run: "shop-a-2", at: new Date(story.now()).toISOString() } });
    assert.equal(story.verdict("a").reason, "StateUnsaved", "trouble is told in the night, too");
    story.records.set("a", record);
    untilHour(8);
    story.round();
    assert.equal(story.openRuns().find(({ spec }) => spec.component === "a")?.spec.rules?.approval?.required, 1);
    hold();
    untilHour(21);
    story.round();
    story.round();
    assert.equal(story.superseded.length, 1, "nobody has approved it by the evening");
    assert.equal(story.verdict("a").reason, "Asleep");
  });

  it("goes to another name with its state", () => {
    const { story, change, required } = aReplacedStory();
    const [, user] = story.environment().spec.components;
    const moved = { ...vpc, valueFrom: { output: { component: "net", name: "id" } } };
    const renamed = { ...(user ?? assert.fail()), terraform: { path: ".", variables: [moved] } };
    change({ components: [aComponent("net", { formerName: "a" }), renamed] });
    for (let rounds = 0; rounds < 4 && story.openRuns().length === 0; rounds += 1) story.round();
    assert.equal(story.openRuns()[0]?.spec.component, "net");
    assert.equal(required(), 1);
  });
});
