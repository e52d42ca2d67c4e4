import assert from "node:assert/strict";
import type { Drift } from "../../../operator/api/drift.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { planStanding } from "../../../operator/environment/plan-standing.ts";
import { type Action, conditionOf, declare, drifted, HOUR, lineOf, type Story, whenDue } from "./drift-story.ts";

const ACCEPTED: Drift["ignore"] = [{ address: "thing.a" }];

/** The drift that is known is accepted, by a rule of `ignore`. */
function accept(story: Story, action: Action): void {
  declare(story, { interval: "1h", action, ignore: ACCEPTED });
}

/** The same was found again, so the record tells of the Check that found it first. */
function endWithTheSame(story: Story): void {
  const known = story.records.get("network")?.drift;
  story.endCheck("network", "Drifted");
  const record = story.records.get("network");
  assert.ok(known !== undefined && record?.drift !== undefined);
  const { run, number, since } = known;
  story.records.set("network", { ...record, drift: { ...record.drift, run, number, since } });
}

describe("Drift that was found before drift.ignore was changed", () => {
  for (const action of ["Report", "Propose", "Correct"] as const) {
    it(`is looked at again at once, and nothing else is begun, with ${action}`, () => {
      const story = drifted(action);
      accept(story, action);
      story.round();
      assert.deepEqual(story.started, ["Check network #3"]);
      story.round();
      assert.equal(story.started.length, 1, "no correction beside the look");
      assert.ok(story.verdict("network").satisfied);
      story.endCheck("network", "Unchanged");
      story.round();
      assert.equal(story.started.length, 1);
      assert.equal(conditionOf(story, "Drifted")?.reason, "NoDrift");
      assert.equal(lineOf(story, "network")?.state, "Ready");
    });
  }

  it("is looked at only where it is known: elsewhere nothing can have become less", () => {
    const story = drifted("Correct", ["network", "app"]);
    accept(story, "Correct");
    story.round();
    assert.deepEqual(story.started, ["Check network #3"]);
  });

  it("is corrected after that look, where it still counts, and not looked at for that reason again", () => {
    const story = drifted("Correct");
    declare(story, { interval: "1h", action: "Correct", ignore: [{ address: "thing.other" }] });
    story.round();
    endWithTheSame(story);
    story.round();
    assert.deepEqual(story.started, ["Check network #3", "Apply network #4"]);
  });

  it("is looked at once for each change, whatever is found", () => {
    const story = drifted("Report");
    accept(story, "Report");
    story.round();
    endWithTheSame(story);
    for (let rounds = 0; rounds < 3; rounds += 1) story.round();
    assert.deepEqual(story.started, ["Check network #3"]);
    assert.ok((story.verdict("network").wakeAtMs ?? 0) > story.now() + 0.8 * HOUR, "the next look at its time");
  });

  it("is told as it was found, and that this was before", () => {
    const story = drifted("Report");
    accept(story, "Report");
    const condition = conditionOf(story, "Drifted");
    assert.deepEqual([condition?.status, condition?.reason], ["True", "DriftFound"]);
    assert.match(condition?.message ?? "", /^network: found before drift\.ignore changed: thing\.a /);
  });

  it("is looked at when the Environment goes on, where that is suspended, and not corrected before", () => {
    const story = drifted("Correct");
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: true } }));
    accept(story, "Correct");
    story.round();
    assert.deepEqual(story.started, []);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: false } }));
    story.round();
    assert.deepEqual(story.started, ["Check network #3"]);
  });

  it("is looked at again where a look was under way that knew nothing of the change", () => {
    const story = drifted("Correct");
    declare(story, { interval: "1h", action: "Correct", ignore: [{ address: "thing.other" }] });
    story.round();
    accept(story, "Correct");
    story.round();
    assert.deepEqual(story.started, ["Check network #3"], "one look at a time");
    story.endCheck("network", "Drifted");
    story.round();
    assert.deepEqual(story.started, ["Check network #3", "Check network #4"]);
  });

  it("is neither looked at nor corrected again before the back-off has passed, where the look fails", () => {
    const story = drifted("Correct");
    accept(story, "Correct");
    story.round();
    story.endCheck("network", "Failed", { reason: "PlanFailed", message: "no credentials" });
    story.round();
    assert.deepEqual(story.started, ["Check network #3"]);
    assert.equal(conditionOf(story, "Drifted")?.reason, "CheckFailed");
    const waits = Math.round(((story.verdict("network").wakeAtMs ?? 0) - story.now()) / HOUR);
    assert.equal(waits, 2);
    story.pass(2.2 * HOUR);
    story.round();
    assert.deepEqual(story.started, ["Check network #3", "Check network #4"]);
    story.endCheck("network", "Drifted");
    story.round();
    assert.deepEqual(story.started.slice(2), ["Apply network #5"]);
  });

  it("is looked at an interval later where a person has cancelled the look", () => {
    const story = drifted("Correct");
    accept(story, "Correct");
    story.round();
    story.endCheck("network", "Cancelled");
    story.round();
    story.pass(0.8 * HOUR);
    story.round();
    assert.deepEqual(story.started, ["Check network #3"]);
    whenDue(story);
    assert.deepEqual(story.started, ["Check network #3", "Check network #4"]);
  });

  it("is looked at again at once where a Run that came to nothing has ended the look", () => {
    const story = drifted("Correct");
    accept(story, "Correct");
    story.round();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    story.endCheck("network", "Cancelled");
    story.end("network", "Cancelled", { reason: "Cancelled", message: "cancelled by a person" });
    story.round();
    assert.deepEqual(story.started, ["Check network #3", "Apply network #4", "Check network #5"]);
    story.endCheck("network", "Cancelled");
    story.round();
    assert.equal(story.started.length, 3, "no look after look");
  });

  it("needs no look where the rules are as they were again", () => {
    const story = drifted("Correct");
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: true } }));
    accept(story, "Correct");
    story.round();
    declare(story, { interval: "1h", action: "Correct" });
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: false } }));
    story.round();
    assert.deepEqual(story.started, ["Apply network #3"]);
  });
});

describe("Drift of which an older version has recorded no rules", () => {
  const old = (story: Story): void => {
    const record = story.records.get("network");
    assert.ok(record?.drift !== undefined);
    const { ignoreDigest: _new, ...drift } = record.drift;
    story.records.set("network", { ...record, drift });
  };

  it("counts for those of the Check that found it", () => {
    const story = drifted("Correct");
    old(story);
    accept(story, "Correct");
    story.round();
    assert.deepEqual(story.started, ["Check network #3"]);
  });

  it("counts for those of the last Check that found the same", () => {
    const story = drifted("Report");
    declare(story, { interval: "1h", ignore: [{ address: "thing.other" }] });
    story.round();
    endWithTheSame(story);
    old(story);
    declare(story, { interval: "1h", action: "Correct", ignore: [{ address: "thing.other" }] });
    story.round();
    assert.deepEqual(story.started, ["Check network #3", "Apply network #4"]);
  });

  it("causes no look where those are declared still", () => {
    const story = drifted("Correct");
    old(story);
    story.round();
    assert.deepEqual(story.started, ["Apply network #3"]);
  });

  it("causes none where that Check is gone: an upgrade must not look at everything", () => {
    const story = drifted("Report");
    whenDue(story);
    story.endCheck("network", "Cancelled");
    old(story);
    story.forgetRun(story.records.get("network")?.drift?.run ?? "");
    accept(story, "Correct");
    story.round();
    assert.deepEqual(story.started, ["Check network #3", "Apply network #4"]);
  });
});

describe("A correction that waits for people when drift.ignore is changed", () => {
  const proposed = (): Story => {
    const story = drifted("Propose");
    story.round();
    story.hold("network");
    story.started.length = 0;
    return story;
  };

  it("is void, for a reason that says so, and a look comes before the next", () => {
    const story = proposed();
    const [held] = story.openRuns();
    accept(story, "Propose");
    const why = "drift.ignore has changed since the drift was found";
    assert.ok(held !== undefined);
    assert.deepEqual(planStanding(story.observation(), held), { type: "void", why });
    story.round();
    assert.deepEqual([story.superseded, story.started], [[why], []]);
    story.round();
    assert.deepEqual(story.started, ["Check network #4"]);
    endWithTheSame(story);
    story.round();
    assert.deepEqual(story.started, ["Check network #4", "Apply network #5"], "it still counts");
    story.hold("network");
    story.round();
    assert.equal(story.superseded.length, 1, "and that plan waits");
  });

  it("is not made again where nothing counts any more", () => {
    const story = proposed();
    accept(story, "Propose");
    for (let rounds = 0; rounds < 2; rounds += 1) story.round();
    story.endCheck("network", "Unchanged");
    story.round();
    assert.deepEqual(story.started, ["Check network #4"]);
  });

  it("stands where it brings more than drift", () => {
    const story = drifted("Report");
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, approval: { required: 1, planExpiresAfter: "24h" } },
    }));
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    story.hold("network");
    accept(story, "Report");
    story.round();
    assert.deepEqual(story.superseded, []);
  });
});
