import assert from "node:assert/strict";
import type { EnvironmentStatus } from "../../../operator/api/environment-status.ts";
import { announce } from "../../../operator/environment/events.ts";
import { conditionOf, declare, drifted, MINUTE, type Story, statusOf, watching, whenDue } from "./drift-story.ts";
import { ONE_EDITED } from "./story.ts";

describe("Rules that leave nothing to be found", () => {
  const told = (story: Story, was: EnvironmentStatus): readonly string[] => {
    const reasons: string[] = [];
    announce({ ...story.environment(), status: was }, statusOf(story), {
      event: (...[, , reason]) => reasons.push(reason),
    });
    return reasons;
  };

  for (const rule of [{ address: "*" }, { attributes: ["*"] }]) {
    it(`are warned about while drift is known: ${JSON.stringify(rule)}`, () => {
      const story = drifted("Report");
      const before = statusOf(story);
      declare(story, { interval: "1h", ignore: [rule] });
      const condition = conditionOf(story, "Drifted");
      assert.deepEqual([condition?.status, condition?.reason], ["Unknown", "EverythingIgnored"]);
      assert.deepEqual(told(story, before), ["EverythingIgnored"], "nobody says that the drift is gone");
      story.pass(MINUTE);
      story.round();
      assert.deepEqual(story.started, ["Check network #3"]);
    });
  }

  it("are warned about beside what was found with them", () => {
    const story = watching({ interval: "1h", ignore: [{ attributes: ["*"] }] }, ["network"]);
    whenDue(story);
    story.endCheck("network", "Drifted");
    const found = conditionOf(story, "Drifted");
    assert.deepEqual([found?.status, found?.reason], ["True", "DriftFound"]);
    assert.match(found?.message ?? "", /^network: thing\.a .*; network: the rules of drift\.ignore match every change/);
  });

  it("are warned about while looking fails", () => {
    const story = watching({ interval: "1h", ignore: [{ attributes: ["*"] }] }, ["network"]);
    whenDue(story);
    story.endCheck("network", "Failed", { reason: "PlanFailed", message: "no credentials" });
    const failed = conditionOf(story, "Drifted");
    assert.equal(failed?.reason, "CheckFailed");
    assert.match(failed?.message ?? "", /no credentials; network: the rules of drift\.ignore match every change/);
  });

  it("leave room for what has drifted, however many components have them", () => {
    const names = Array.from({ length: 20 }, (_, at) => `component-${at}`);
    const story = watching({ interval: "1h", ignore: [{ attributes: ["*"] }] }, names);
    whenDue(story);
    for (const name of names) story.endCheck(name, "Drifted");
    const { message = "" } = conditionOf(story, "Drifted") ?? {};
    assert.ok(message.startsWith(`component-0: ${ONE_EDITED.addresses[0]}`));
    assert.match(message, /; component-0: the rules of drift\.ignore match every change/);
    assert.ok(message.length <= 1024);
  });
});
