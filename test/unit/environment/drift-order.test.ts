import assert from "node:assert/strict";
import type { Drift } from "../../../operator/api/drift.ts";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { HOUR, lineOf, MINUTE, type Story, watching, whenDue } from "./drift-story.ts";

const correcting: Drift = { interval: "1h", action: "Correct" };
const never = { name: "never", type: "Allow", schedule: "0 0 29 2 *", duration: "1m", timeZone: "UTC" } as const;

const declare = (story: Story, more: Partial<Environment["spec"]>) =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...more } }));

/** The network has drifted, and so has the site, which needs it only by way of the app. */
function foundInTwo(network: Drift["action"] = "Correct", more: Partial<Environment["spec"]> = {}): Story {
  const story = watching(correcting, ["network", "app", "site"]);
  const [first = assert.fail(), ...others] = story.environment().spec.components;
  declare(story, { ...more, components: [{ ...first, drift: { ...correcting, action: network } }, ...others] });
  whenDue(story);
  for (const name of ["network", "site"]) story.endCheck(name, "Drifted");
  story.endCheck("app", "Unchanged");
  story.started.length = 0;
  return story;
}

const correction = (story: Story) =>
  story.openRuns().find(({ spec }) => spec.cause.type === "DriftFound") ?? assert.fail();

const nextOf = (story: Story, name: string): string | undefined => {
  const { step } = story.verdict(name);
  return step.type === "startRun" ? step.spec.operation : undefined;
};

describe("Where several components have drifted, the correction of what is built on others", () => {
  it("waits until those are brought back, and says so", () => {
    const story = foundInTwo();
    story.round();
    for (const phase of ["Pending", "Planning"] as const) {
      story.tell(correction(story), { phase });
      story.round();
      assert.deepEqual(story.started, ["Apply network #3"]);
      assert.match(lineOf(story, "site")?.message ?? "", /^its correction waits for that of network; thing\.a/);
    }
    story.beginApply("network");
    story.round();
    story.end("network", "Applied");
    story.round();
    assert.deepEqual(story.started.slice(1), ["Apply site #3"]);
  });

  it("waits also where those are looked at once more before they are brought back", () => {
    const story = foundInTwo();
    declare(story, { suspend: true });
    story.pass(40 * MINUTE);
    declare(story, { suspend: false });
    // The looks of an hour are spread over twelve minutes: the network's is due before the site's.
    while (nextOf(story, "network") !== "Check") story.pass(MINUTE);
    assert.equal(nextOf(story, "site"), undefined);
    story.round();
    story.round();
    assert.deepEqual(story.started, ["Check network #3", "Apply network #4"]);
  });

  it("waits also where their plan is approved, and only a window is missing", () => {
    const story = foundInTwo("Propose");
    story.round();
    const run = story.hold("network");
    declare(story, { windows: [never] });
    story.tell(run, { approvals: [{ decision: "Approve", user: "jane", at: "" } as never] });
    declare(story, { windows: [] });
    story.started.length = 0;
    story.round();
    assert.deepEqual(story.started, []);
  });

  it("does not wait for a person", () => {
    const story = foundInTwo("Propose");
    story.round();
    story.hold("network");
    story.round();
    assert.deepEqual(story.started, ["Apply network #3", "Apply site #3"]);
  });

  for (const [how, result, outcome] of [
    ["has failed, and is tried again", "Failed", { reason: "PlanFailed", retry: "Backoff" }],
    ["lacks an input", "Waiting", { reason: "InputMissing" }],
  ] as const)
    it(`does not wait for one that ${how}`, () => {
      const story = foundInTwo();
      story.round();
      story.end("network", result, outcome);
      story.round();
      assert.deepEqual(story.started, ["Apply network #3", "Apply site #3"]);
    });

  it("keeps an override of the windows in force until its turn has come", () => {
    const story = foundInTwo("Correct", { windows: [never] });
    story.annotate({ [ANNOTATIONS.windowOverride]: "the shop is down" });
    for (const result of ["Failed", "Unchanged"] as const) {
      const decision = story.round();
      assert.ok("verdicts" in decision && decision.overrideSpent === undefined);
      const reason = result === "Failed" ? "PlanFailed" : "Unchanged";
      if (story.openRuns().some(({ spec }) => spec.component === "network")) story.end("network", result, { reason });
    }
    assert.deepEqual(story.started, ["Apply network #3", "Apply site #3"]);
    assert.ok(story.now() > HOUR);
  });
});
