import assert from "node:assert/strict";
import type { Drift } from "../../../operator/api/drift.ts";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { aComponent } from "../../fakes/objects.ts";
import { conditionOf, HOUR, lineOf, MINUTE, type Story, watching, whenDue } from "./drift-story.ts";

describe("Drift that is to be corrected", () => {
  const correcting: Drift = { interval: "1h", action: "Correct" };
  const found = (spec: Partial<Environment["spec"]> = {}): Story => {
    const story = watching(correcting);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } }));
    whenDue(story);
    story.endCheck("network", "Drifted");
    story.endCheck("app", "Unchanged");
    story.round();
    return story;
  };

  it("is brought back by an ordinary Run of what is applied, at once", () => {
    const story = found();
    assert.deepEqual(story.started.slice(2), ["Apply network #3"]);
    const run = story.openRuns()[0];
    assert.equal(run?.spec.cause.type, "DriftFound");
    assert.equal(run?.spec.desiredDigest, story.records.get("network")?.applied?.desiredDigest);
    story.end("network", "Applied");
    story.round();
    assert.equal(story.started.length, 3);
    assert.equal(lineOf(story, "network")?.state, "Ready");
    assert.equal(conditionOf(story, "Drifted")?.reason, "NoDrift");
  });

  it("is brought back under the ordinary rules for approval, and its plan waits as any other", () => {
    const approval = { required: 2, unless: "plan.delete == 0", planExpiresAfter: "2h" };
    const story = found({ approval: { ...approval, destroy: { required: 3 } } });
    const run = story.hold("network");
    assert.equal(run.spec.cause.type, "DriftFound");
    const { planExpiresAfter, ...asking } = approval;
    const rules = { approval: { ...asking, expiresAfter: planExpiresAfter, destroy: { required: 3 } } };
    assert.deepEqual(run.spec.rules, rules);
    story.round();
    assert.deepEqual([story.verdict("network").state, story.superseded], ["AwaitingApproval", []]);
  });

  it("says so where its Run goes on only with a person, as on a lost node", () => {
    const story = found();
    const [run] = story.openRuns();
    const succeeded = { type: "Succeeded", status: "Unknown", reason: "ProofOfDeathMissing" } as never;
    story.tell(run ?? assert.fail(), {
      conditions: [succeeded],
      message: "node n1 does not say that the pod has ended",
    });
    const { state, reason, message } = story.verdict("network");
    assert.deepEqual([state, reason], ["Stalled", "ProofOfDeathMissing"]);
    assert.match(message, /^node n1 does not say/);
  });

  const stages: Readonly<Record<string, (story: Story) => void>> = {
    "has no pod yet": () => {},
    "plans already": (story) => story.tell(story.openRuns()[0] ?? assert.fail(), { phase: "Planning" }),
    "waits for a person": (story) => void story.hold("network"),
  };
  for (const [stage, reach] of Object.entries(stages))
    it(`is given up where it is not to be corrected any more and its Run ${stage}`, () => {
      for (const drift of [
        { interval: "1h" },
        { interval: "1h", action: "Correct", ignore: [{ address: "b" }] },
      ] as const) {
        const story = found();
        reach(story);
        story.edit((environment) => ({ ...environment, spec: { ...environment.spec, drift: drift as Drift } }));
        const verdict = story.verdict("network");
        assert.deepEqual([verdict.step.type, verdict.satisfied], ["supersede", true]);
        assert.equal(conditionOf(story, "Ready")?.status, "True", "what is declared is applied all the same");
      }
    });

  it("leaves the component ready and its dependents going on, until the correction begins to apply", () => {
    const story = found();
    assert.ok(story.verdict("network").satisfied);
    assert.equal(conditionOf(story, "Ready")?.status, "True");
    assert.match(conditionOf(story, "Drifted")?.message ?? "", /Run 3 brings it back: thing\.a/);
    const change = [{ name: "app", needs: ["network"] }].map(({ name, needs }) =>
      aComponent(name, { needs, terraform: { path: "new" } }),
    );
    story.edit(({ spec, ...environment }) => ({
      ...environment,
      spec: { ...spec, components: [...spec.components.slice(0, 1), ...change] },
    }));
    story.round();
    assert.deepEqual(story.started.slice(3), ["Apply app #3"]);
    story.beginApply("network");
    assert.equal(story.verdict("network").state, "Applying");
    assert.ok(!story.verdict("network").satisfied);
  });

  it("is tried again with back-off when the correction fails before it changed anything, and nobody is stopped", () => {
    const story = found({ retry: { limit: 1 } });
    story.end("network", "Failed", { reason: "PlanFailed", message: "no credentials", retry: "Backoff" });
    assert.deepEqual([story.verdict("network").state, story.verdict("network").satisfied], ["Ready", true]);
    const condition = conditionOf(story, "Drifted");
    assert.equal(condition?.reason, "CorrectionFailed");
    assert.match(condition.message, /not brought back \(PlanFailed: no credentials\): thing\.a/);
    story.round();
    assert.equal(story.started.length, 3);
    story.pass(20_000);
    story.round();
    assert.deepEqual(story.started.slice(3), ["Apply network #4"]);
    story.end("network", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    story.pass(20 * MINUTE);
    story.round();
    assert.equal(story.started.length, 4, "the limit of tries is reached");
    assert.ok(story.verdict("network").satisfied);
  });

  it("is tried again as any Run when the correction fails half way", () => {
    const story = found();
    story.end("network", "Failed", { reason: "ApplyFailed", retry: "Backoff" });
    assert.deepEqual([story.verdict("network").state, story.verdict("network").satisfied], ["Failed", false]);
    story.pass(20_000);
    story.round();
    assert.deepEqual(story.started.slice(3), ["Apply network #4"]);
  });

  it("waits while the Environment is suspended", () => {
    const story = watching(correcting, ["network"]);
    whenDue(story);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: true } }));
    story.endCheck("network", "Drifted");
    story.round();
    assert.equal(story.started.length, 1);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: false } }));
    story.round();
    assert.deepEqual(story.started.slice(1), ["Apply network #3"]);
  });

  it("goes on with what is declared where that has changed meanwhile", () => {
    const story = found();
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, variables: [{ name: "a", value: 1 }] },
    }));
    assert.equal(story.verdict("network").state, "Pending");
    story.end("network", "Applied");
    story.round();
    assert.deepEqual(story.started.slice(3), ["Apply network #4"]);
    assert.equal(story.openRuns()[0]?.spec.cause.type, "SpecChanged");
  });

  it("waits for a window, and stays ready; looking needs none", () => {
    const never = { name: "never", type: "Allow", schedule: "0 0 29 2 *", duration: "1m", timeZone: "UTC" } as const;
    const story = found({ windows: [never] });
    assert.deepEqual(story.started, ["Check network #2", "Check app #2"]);
    assert.deepEqual([story.verdict("network").state, story.verdict("network").satisfied], ["Ready", true]);
    assert.equal(conditionOf(story, "Drifted")?.reason, "DriftFound");
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, windows: [] } }));
    story.round();
    assert.deepEqual(story.started.slice(2), ["Apply network #3"]);
  });

  it("is looked for while it waits for its window, so that what somebody has undone by hand is told no more", () => {
    const never = { name: "never", type: "Allow", schedule: "0 0 29 2 *", duration: "1m", timeZone: "UTC" } as const;
    const story = found({ windows: [never] });
    const { wakeAtMs = Number.POSITIVE_INFINITY } = story.verdict("network");
    assert.ok(wakeAtMs - story.now() <= 1.1 * HOUR, "the look comes before the window");
    whenDue(story);
    assert.deepEqual(story.started.slice(2), ["Check network #3", "Check app #3"]);
    story.endCheck("network", "Unchanged");
    assert.equal(conditionOf(story, "Drifted")?.reason, "NoDrift");
  });

  it("does not answer a request again that was answered before", () => {
    const story = watching(correcting, ["network"]);
    story.annotate({ [ANNOTATIONS.requestedAt]: "once" });
    story.settle();
    story.started.length = 0;
    whenDue(story);
    story.endCheck("network", "Drifted");
    story.round();
    story.end("network", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    assert.ok(story.verdict("network").satisfied);
    story.pass(20_000);
    story.round();
    assert.equal(story.openRuns()[0]?.spec.cause.type, "DriftFound");
  });

  it("does not ask again what a person had asked for, and then cancelled", () => {
    const story = watching(correcting, ["network", "app"]);
    story.annotate({ [ANNOTATIONS.requestedAt]: "once" });
    story.round();
    story.end("network", "Cancelled", { reason: "Cancelled", message: "cancelled by a person" });
    story.settle();
    whenDue(story);
    story.endCheck("network", "Drifted");
    story.round();
    assert.equal(story.openRuns().find(({ spec }) => spec.component === "network")?.spec.cause.type, "DriftFound");
    story.end("network", "Failed", { reason: "PlanFailed", retry: "Never" });
    assert.equal(story.verdict("network").state, "Ready");
    assert.notEqual(story.verdict("app").state, "Blocked");
  });
});
