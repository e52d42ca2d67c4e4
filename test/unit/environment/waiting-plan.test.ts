import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { T0 } from "../../fakes/objects.ts";
import { aWaitingStory } from "./approval-story.ts";
import type { aStory } from "./story.ts";

const statusOf = (story: ReturnType<typeof aStory>) => {
  const status = statusFor(story.environment(), story.decision(), { lines: [] }, new Date(T0));
  assert.ok(status !== undefined);
  return status;
};

describe("A component whose plan waits", () => {
  it("says so, since when, and the command that approves it", () => {
    const verdict = aWaitingStory().verdict("network");
    assert.equal(verdict.state, "AwaitingApproval");
    assert.equal(verdict.satisfied, false);
    assert.match(verdict.message, /^kubectl terrarium approve shop: 0 of 1 approvals for \+1 ~0 ±0 -2 since 2026-/);
  });

  it("says what it still waits for once enough people have agreed", () => {
    const story = aWaitingStory();
    const [run] = story.openRuns();
    assert.ok(run?.status !== undefined);
    const approvals = [{ approver: "ada", decision: "Approve", at: new Date(T0).toISOString() }] as const;
    const message = "approved; waits for a free place";
    story.putRun({ ...run, status: { ...run.status, approvals: [...approvals], message } });
    assert.equal(story.verdict("network").message, message);
  });

  it("is neither stalled nor failed: it goes on when somebody has decided", () => {
    const status = statusOf(aWaitingStory());
    const of = (type: string) => status.conditions?.find((condition) => condition.type === type);
    assert.deepEqual([of("Ready")?.status, of("Ready")?.reason], ["False", "AwaitingApproval"]);
    assert.equal(of("Reconciling")?.status, "True");
    assert.equal(of("Stalled")?.status, "False");
    assert.equal(of("AwaitingApproval")?.status, "True");
    assert.equal(status.components?.[0]?.approval?.required, 1);
  });

  it("has no such condition once nothing waits any more", () => {
    const story = aWaitingStory();
    story.end("network", "Applied");
    assert.equal(
      statusOf(story).conditions?.some(({ type }) => type === "AwaitingApproval"),
      false,
    );
  });

  it("starts nothing else, however often one looks", () => {
    const story = aWaitingStory();
    story.round();
    story.round();
    assert.equal(story.runs().length, 1);
    assert.deepEqual(story.superseded, []);
  });

  it("is not asked about again after a no, until something changes", () => {
    const story = aWaitingStory();
    story.end("network", "Cancelled", { reason: "Rejected", message: "ada rejected the plan: too large" });
    story.round();
    const verdict = story.verdict("network");
    assert.deepEqual([verdict.state, verdict.reason], ["Stalled", "Rejected"]);
    assert.match(verdict.message, /ada rejected the plan: too large; change the spec/);
    story.pass(30 * 86_400_000);
    story.round();
    assert.equal(story.runs().length, 1);
    story.annotate({ [ANNOTATIONS.requestedAt]: "again" });
    story.round();
    assert.equal(story.runs().length, 2);
  });

  it("is not asked about again after a no where the wish for a fresh plan is taken off", () => {
    const story = aWaitingStory();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    story.round();
    story.hold("network");
    story.end("network", "Cancelled", { reason: "Rejected", message: "ada rejected the plan" });
    story.unannotate(ANNOTATIONS.requestedAt);
    story.round();
    assert.deepEqual(story.started, ["Apply network #1", "Apply network #2"]);
    assert.equal(story.verdict("network").reason, "Rejected");
  });
});
