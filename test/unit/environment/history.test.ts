import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import type { RunOutcome } from "../../../operator/api/run-status.ts";
import { nextTooOldAtMs, surplusRuns } from "../../../operator/environment/history.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { aComponent, anEnvironment, aRecord, aRun, ended, T0 } from "../../fakes/objects.ts";
import { runSpec } from "../run/observations.ts";
import { aStory } from "./story.ts";

const HOUR = 3_600_000;
type History = [Parameters<typeof surplusRuns>[1], Date];

/** One Run for each result, the newest first, each an hour older than the one before. */
function runs(...results: readonly (RunOutcome["result"] | "open")[]) {
  return results.map((result, index) => {
    const number = results.length - index;
    const run = aRun(runSpec({ number, attempt: number }), { observedGeneration: 1 });
    return result === "open" ? run : ended(run, { result }, T0 - index * HOUR);
  });
}
const surplus = (all: readonly Run[], ...[history, at, record]: [...History, ComponentRecord?]) =>
  surplusRuns({ name: "network", runs: all, formerRuns: [], record }, history, at).map(({ spec }) => spec.number);
const times = (count: number, result: RunOutcome["result"]) => Array.from({ length: count }, () => result);
const now = new Date(T0);

describe("The history of a component", () => {
  it("keeps ten that went well and twenty others, unless told otherwise", () => {
    assert.deepEqual(surplus(runs(...times(12, "Applied")), undefined, now), [2, 1]);
    assert.deepEqual(surplus(runs(...times(22, "Failed")), undefined, now), [2, 1]);
    const mixed = runs(...times(10, "Applied"), ...times(20, "Failed"));
    assert.deepEqual(surplus(mixed, undefined, now), []);
    assert.deepEqual(surplus(mixed, { successes: 9, failures: 18 }, now), [21, 2, 1]);
  });

  it("counts plans that became void on their own: a busy branch does not push out what went wrong", () => {
    const failed = runs("Failed")[0] ?? assert.fail();
    const voided = Array.from({ length: 24 }, (_, index) => {
      const run = aRun(runSpec({ number: 25 - index, attempt: 25 - index }), { observedGeneration: 1 });
      return ended(run, { result: "Cancelled", reason: "Superseded" }, T0 - index * HOUR);
    });
    assert.deepEqual(
      surplus([...voided, failed], undefined, now),
      Array.from({ length: 14 }, (_, index) => 15 - index),
    );
    assert.deepEqual(
      surplus([...voided.slice(0, 3), failed], { successes: 10, failures: 20, maxAge: "90m" }, now),
      [23],
    );
  });

  it("keeps the newest that went well, however many failed since, and the newest of all", () => {
    const many = runs(...times(25, "Failed"), "Applied");
    const kept = surplus(many, { successes: 1, failures: 1 }, now);
    assert.ok(!kept.includes(1) && !kept.includes(26));
    assert.equal(kept.length, 24);
  });

  it("lets what went well go by age, and all others after twice that time", () => {
    const all = runs("Applied", "Failed", "Applied", "Failed", "Applied", "Failed", "Failed");
    assert.deepEqual(surplus(all, { successes: 10, failures: 20, maxAge: "150m" }, now), [3, 1]);
  });

  it("is looked at again when the next becomes too old, as nothing else tells: each moment once", () => {
    const [newest, ...older] = runs("Applied", "Applied", "Failed");
    const all = [newest ?? assert.fail(), ...older];
    const history = { successes: 10, failures: 20, maxAge: "90m" };
    const next = (atMs: number) => nextTooOldAtMs({ runs: all, formerRuns: [] }, history, atMs);
    const moments: number[] = [];
    for (let at = next(T0); at !== undefined; at = next(at)) {
      moments.push(at);
      assert.ok(moments.length < 10);
    }
    assert.deepEqual(
      moments.map((at) => [(at - 1 - T0) / HOUR, surplus(all, history, new Date(at))]),
      [
        [0.5, [2]],
        [1, [2, 1]],
        [1.5, [2, 1]],
      ],
    );
    assert.deepEqual(surplus(all, history, new Date(T0 + 0.5 * HOUR)), []);
    assert.equal(nextTooOldAtMs({ runs: all, formerRuns: [] }, { successes: 1, failures: 1 }, T0), undefined);
  });

  it("brings the Environment back to look at it, also where nothing happens any more", () => {
    const spec = { history: { successes: 10, failures: 20, maxAge: "1h" } };
    const story = aStory(anEnvironment([aComponent("a")], { spec }));
    story.settle();
    const decision = story.decision();
    const last = story.runs()[0]?.status?.finishedAt ?? assert.fail();
    assert.ok(decision.type === "converge");
    assert.equal(decision.wakeAtMs, Date.parse(last) + HOUR + 1);
  });

  it("keeps the one that was interrupted while nothing has ended well since, however many failed and however long ago", () => {
    const all = runs(...times(25, "Failed"), "Interrupted", "Failed");
    const run = all.find(({ spec }) => spec.number === 2)?.metadata.name ?? assert.fail();
    const record = aRecord("network", { cutOff: { run, number: 2, desiredDigest: "sha256:desired", at: "" } });
    const history = { successes: 1, failures: 1, maxAge: "1h" };
    const kept = (known: ComponentRecord) => {
      const gone = surplus(all, history, now, known);
      return all.map(({ spec }) => spec.number).filter((number) => !gone.includes(number));
    };
    assert.deepEqual(kept(record), [27, 2]);
    assert.deepEqual(kept(aRecord("network")), [27]);
  });

  it("keeps the newest destroy that went well until all before it have gone", () => {
    const [newest, destroy, failed] = runs("Unchanged", "Destroyed", "Failed");
    assert.ok(newest && destroy && failed);
    const destroyed: Run = { ...destroy, spec: { ...destroy.spec, operation: "Destroy" } };
    const history = { successes: 1, failures: 20 };
    assert.deepEqual(surplus([newest, destroyed, failed], history, now), []);
    assert.deepEqual(surplus([newest, destroyed], history, now), [2]);
  });

  it("has those of a former name behind all others", () => {
    const [newest, destroy, ...former] = runs("Unchanged", "Destroyed", "Applied", "Applied");
    assert.ok(newest && destroy);
    const destroyed: Run = { ...destroy, spec: { ...destroy.spec, operation: "Destroy" } };
    const gone = surplusRuns(
      { name: "network", runs: [newest], formerRuns: former, record: undefined },
      { successes: 2, failures: 1 },
      now,
    );
    assert.deepEqual(gone, former.slice(1));
    const all = { name: "network", runs: [newest, destroyed], formerRuns: former, record: undefined };
    assert.deepEqual(surplusRuns(all, { successes: 1, failures: 1 }, now), former, "they witness what exists no more");
  });

  it("never touches one that is open", () => {
    assert.deepEqual(surplus(runs("open", "open", "Applied"), { successes: 1, failures: 1, maxAge: "1m" }, now), []);
  });
});
