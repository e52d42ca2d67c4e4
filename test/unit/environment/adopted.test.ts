import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import type { RunOutcome } from "../../../operator/api/run-status.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
const OTHER = { metadata: { uid: "other-uid" } };

/** The Environment is created anew with the same declaration, and its first Run has claimed the state that the former one left. */
function takenOver(ownership: ComponentRecord["ownership"] = "Released", spec: Partial<EnvironmentSpec> = {}) {
  const former = aStory(anEnvironment([aComponent("a")]));
  former.settle();
  const story = aStory(anEnvironment([aComponent("a")], { ...OTHER, spec: { adopt: { uid: "env-uid" }, ...spec } }));
  for (const [name, record] of former.records) story.records.set(name, { ...record, ownership });
  story.round();
  assert.deepEqual(story.started, ["Apply a #2"]);
  return story;
}

type Bad = Partial<RunOutcome> & Pick<RunOutcome, "result" | "reason">;

const bad: readonly Bad[] = [
  { result: "Waiting", reason: "InputMissing" },
  { result: "Failed", reason: "PlanFailed", retry: "Backoff" },
  { result: "Failed", reason: "RunnerLost", retry: "Backoff" },
];

describe("A state that was taken over", () => {
  for (const ownership of ["Released", "Owned"] as const)
    for (const { result, reason, ...more } of bad)
      it(`(${ownership}) is looked at again where the first Run ended as ${reason}`, () => {
        const story = takenOver(ownership);
        story.end("a", result, { reason, ...more });
        const told = story.verdict("a");
        assert.deepEqual([told.state, told.reason, told.satisfied], ["Failed", reason, false]);
        story.pass(HOUR_MS);
        story.round();
        assert.deepEqual(story.started.slice(1), ["Apply a #3"]);
        assert.equal(story.openRuns()[0]?.spec.cause.type, "Retry");
      });

  it("is planned anew where the first plan has expired, and says why", () => {
    const story = takenOver();
    story.end("a", "Cancelled", { reason: "PlanExpired" });
    story.round();
    const [run] = story.openRuns();
    assert.equal(run?.spec.number, 3);
    assert.match(run.spec.cause.detail ?? "", /^takes over the state that Run shop-a-\w+ left$/);
  });

  it("is as little Ready after a no as any other, and goes on after an edit", () => {
    const story = takenOver();
    story.end("a", "Cancelled", { reason: "Rejected", message: "bob said no" });
    story.pass(HOUR_MS);
    story.round();
    const { state, reason } = story.verdict("a");
    assert.deepEqual([state, reason, story.started.length], ["Stalled", "Rejected", 1]);
    story.edit((environment) => environment);
    story.round();
    assert.equal(story.started.length, 2);
  });

  for (const result of ["Applied", "Unchanged"] as const)
    it(`is Ready when a plan has ended as ${result}, and rests`, () => {
      const story = takenOver();
      story.end("a", "Failed", { reason: "RunnerLost", retry: "Backoff" });
      story.pass(HOUR_MS);
      story.round();
      story.end("a", result, { reason: result });
      story.pass(HOUR_MS);
      story.round();
      assert.deepEqual([story.verdict("a").state, story.verdict("a").satisfied], ["Ready", true]);
      assert.deepEqual(story.started, ["Apply a #2", "Apply a #3"]);
    });

  it("is not looked at for drift before a plan of its own has ended well", () => {
    const story = takenOver("Released", { drift: { interval: "30m" } });
    story.end("a", "Cancelled", { reason: "Rejected" });
    story.pass(24 * HOUR_MS);
    story.round();
    assert.deepEqual(story.openChecks(), []);
  });

  it("is destroyed with its Environment all the same: what the former one made exists", () => {
    const story = takenOver();
    story.end("a", "Failed", { reason: "PlanFailed", retry: "Never" });
    story.delete();
    story.round();
    assert.deepEqual(story.started.slice(1), ["Destroy a #3"]);
    story.end("a", "Destroyed");
    story.round();
    assert.equal(story.records.get("a"), undefined);
  });

  it("by an older version, which left no mark, is Ready as before", () => {
    const story = takenOver();
    story.end("a", "Failed", { reason: "RunnerLost", retry: "Backoff" });
    const { adoptedApply, ...record } = story.records.get("a") ?? assert.fail();
    assert.equal(adoptedApply, "a-1");
    story.records.set("a", record);
    assert.equal(story.verdict("a").state, "Ready");
  });
});
