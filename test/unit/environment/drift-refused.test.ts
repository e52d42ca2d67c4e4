import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { surplusRuns } from "../../../operator/environment/history.ts";
import { conditionOf, declare, edit, proposed, type Story, whenDue } from "./drift-story.ts";

describe("A proposed correction of drift that somebody has rejected", () => {
  const refused = (more: Partial<Environment["spec"]> = {}): Story => {
    const story = proposed(more);
    story.end("network", "Cancelled", {
      reason: "Rejected",
      message: "jane rejected the plan: it is meant to be so",
    });
    story.round();
    story.started.length = 0;
    return story;
  };

  it("is not proposed again because something is edited that has nothing to do with it", () => {
    const story = refused();
    edit(story, "app", { retry: { limit: 7 } });
    story.round();
    assert.deepEqual([story.started, story.verdict("network").satisfied], [["Apply app #3"], true]);
  });

  it("is not proposed again because another change was tried and taken back", () => {
    const story = refused();
    const { components } = story.environment().spec;
    edit(story, "network");
    story.round();
    story.end("network", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components } }));
    story.round();
    assert.deepEqual([story.started, story.verdict("network").state], [["Apply network #4"], "Ready"]);
    assert.equal(conditionOf(story, "Drifted")?.reason, "DriftFound", "nobody tries to correct it");
  });

  it("is told as what it is", () => {
    const drifted = conditionOf(refused(), "Drifted");
    assert.deepEqual([drifted?.status, drifted?.reason], ["True", "DriftFound"]);
    assert.match(
      drifted?.message ?? "",
      /^network: left as it is \(jane rejected the plan: it is meant to be so\): thing\.a/,
    );
  });

  it("is kept as long as that drift is there, however few Runs are to be kept", () => {
    const story = refused({ history: { successes: 1, failures: 0 } });
    edit(story, "network");
    story.round();
    story.end("network", "Failed", { reason: "PlanFailed", retry: "Never" });
    const past = story.verdict("network").past;
    const surplus = () => surplusRuns(past, story.environment().spec.history, new Date(story.now()));
    assert.deepEqual(surplus(), []);
  });

  it("is another question under other rules", () => {
    const story = refused();
    edit(story, "site", { approval: { required: 2, planExpiresAfter: "24h" } });
    story.round();
    assert.deepEqual(story.started, ["Apply network #4"]);
  });

  it("is another question where it is to be corrected, whoever has to approve that", () => {
    const story = refused({ approval: { required: 1, planExpiresAfter: "24h" } });
    declare(story, { interval: "1h", action: "Correct" });
    story.round();
    assert.deepEqual(story.started, ["Apply network #4"]);
  });

  it("is told as it is where a Run is asked for all the same", () => {
    const story = refused();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    assert.match(conditionOf(story, "Drifted")?.message ?? "", /^network: Run 4 brings it back: /);
    story.end("network", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    assert.equal(conditionOf(story, "Drifted")?.reason, "CorrectionFailed");
  });

  it("is not proposed again until something else has drifted", () => {
    const story = proposed();
    story.end("network", "Cancelled", { reason: "Rejected", message: "it is meant to be so" });
    for (let looks = 0; looks < 3; looks += 1) {
      story.round();
      whenDue(story);
      for (const { spec } of story.openChecks()) story.endCheck(spec.component, "Cancelled");
    }
    assert.equal(story.started.filter((line) => line.startsWith("Apply")).length, 1);
    assert.ok(story.verdict("network").satisfied);
    while (!story.openChecks().some(({ spec }) => spec.component === "network")) whenDue(story);
    story.endCheck("network", "Drifted");
    story.round();
    assert.equal(story.started.filter((line) => line.startsWith("Apply")).length, 2);
  });
});
