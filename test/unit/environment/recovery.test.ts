import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import { planStanding } from "../../../operator/environment/plan-standing.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

const HOUR_MS = 3_600_000;
type Spec = Parameters<typeof anEnvironment>[1];
type Story = ReturnType<typeof aStory>;

/** An apply was cut off, and the next round has come. */
function cutOff(spec: NonNullable<Spec>["spec"] = {}, component: Parameters<typeof aComponent>[1] = {}): Story {
  const story = aStory(anEnvironment([aComponent("a", component)], { spec }));
  story.round();
  story.end("a", "Interrupted", { message: "the pod died while it applied" });
  story.round();
  return story;
}

const open = (story: Story): Run => {
  const [run] = story.openRuns();
  assert.ok(run, "a Run is open");
  return run;
};
const asks = (story: Story) => open(story).spec.rules?.approval;
const edit = (story: Story, value: number): void =>
  story.edit((environment) => ({
    ...environment,
    spec: { ...environment.spec, variables: [{ name: "x", value }] },
  }));
const FOR_ONE = { required: 1, expiresAfter: "24h" };

describe("After an apply that was cut off", () => {
  it("what is left to do is planned for a person, although no rule asks anybody", () => {
    const story = cutOff();
    assert.deepEqual(story.started, ["Apply a #1", "Apply a #2"]);
    assert.deepEqual(open(story).spec.cause, { type: "Recovery", detail: "Run 1 was interrupted" });
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("as many people are asked as the rules say, and nothing is exempt", () => {
    const story = cutOff({ approval: { required: 2, unless: "plan.delete == 0", planExpiresAfter: "2h" } });
    assert.deepEqual(asks(story), { required: 2, expiresAfter: "2h" });
  });

  it("every message says so, whatever else stands in the way, and the status names the Run", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    const leftovers = [{ address: "thing.a" }];
    story.end("a", "Interrupted", { journal: { entries: 2, leftovers } });
    const first = story.verdict("a");
    assert.deepEqual([first.state, first.reason], ["Interrupted", "Recovering"]);
    assert.match(first.message, /^Run 1 was interrupted; its journal names what no state has; Run 2 plans/);
    story.round();
    story.hold("a");
    story.report();
    const [line] = story.environment().status?.components ?? [];
    assert.match(line?.message ?? "", /approve shop: 0 of 1 .*; Run 1 was interrupted: see its journal$/);
    assert.equal(line?.interrupted, story.runs()[0]?.metadata.name);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: true } }));
    story.end("a", "Cancelled", { reason: "PlanExpired" });
    assert.match(story.verdict("a").message, /^Run 1 was interrupted; spec\.suspend is true/);
  });

  it("the plan waits however long nobody answers", () => {
    const story = cutOff();
    story.hold("a");
    story.pass(12 * HOUR_MS);
    story.round();
    assert.equal(story.started.length, 2);
    assert.equal(story.verdict("a").state, "AwaitingApproval");
  });

  it("nobody is needed where nothing is left to do", () => {
    const story = cutOff();
    story.end("a", "Unchanged");
    story.round();
    assert.equal(story.verdict("a").state, "Ready");
    edit(story, 1);
    story.round();
    assert.equal(asks(story), undefined);
  });

  it("another change is made under the ordinary rules, once somebody has agreed", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Applied");
    assert.equal(story.verdict("a").state, "Ready");
    edit(story, 1);
    story.round();
    assert.equal(asks(story), undefined);
  });

  it("an edit makes another plan, which is for a person, too", () => {
    const story = cutOff();
    story.hold("a");
    edit(story, 1);
    story.round();
    assert.deepEqual(story.superseded, ["changed: variable x"]);
    story.round();
    assert.deepEqual(story.started.slice(2), ["Apply a #3"]);
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("a plan that fails is tried again, for a person, whatever had been requested before", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.annotate({ [ANNOTATIONS.requestedAt]: "before" });
    story.round();
    story.end("a", "Interrupted");
    story.round();
    story.end("a", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    assert.equal(story.verdict("a").state, "Failed");
    story.pass(HOUR_MS);
    story.round();
    assert.equal(open(story).spec.cause.type, "Recovery");
    assert.equal(open(story).spec.attempt, 1);
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("a plan that has expired is made anew, for a person", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Cancelled", { reason: "PlanExpired" });
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("a no holds until something changes, and then a person is asked again", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Cancelled", { reason: "Rejected", message: "ann rejected the plan" });
    story.pass(HOUR_MS);
    story.round();
    assert.equal(story.verdict("a").state, "Stalled");
    assert.equal(story.started.length, 2);
    edit(story, 1);
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("whoever asks to go on gets a fresh plan under the ordinary rules", () => {
    const story = cutOff();
    story.hold("a");
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    assert.match(story.superseded[0] ?? "", /a fresh plan was asked for/);
    story.round();
    assert.deepEqual(story.started.slice(2), ["Apply a #3"]);
    assert.equal(open(story).spec.cause.type, "Requested");
    assert.equal(asks(story), undefined);
    story.end("a", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    story.pass(HOUR_MS);
    story.round();
    assert.equal(asks(story), undefined, "the next try of that is what was asked for, too");
  });

  it("what was asked for while the apply was under way is no word about its interruption", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.annotate({ [ANNOTATIONS.requestedAt]: "meanwhile" });
    story.end("a", "Interrupted");
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
    story.hold("a");
    assert.equal(story.verdict("a").state, "AwaitingApproval");
  });

  it("after a no, whoever asks for another plan sees that, too", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Cancelled", { reason: "Rejected", message: "ann rejected the plan" });
    story.annotate({ [ANNOTATIONS.requestedAt]: "another" });
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
    story.hold("a");
    assert.equal(story.verdict("a").state, "AwaitingApproval", "and that waits");
  });

  for (const [what, happens] of [
    ["time passes", () => {}],
    [
      "its next plan has expired",
      (story: Story) => {
        story.round();
        story.hold("a");
        story.end("a", "Cancelled", { reason: "PlanExpired" });
      },
    ],
    ["something else is edited", (story: Story) => edit(story, 1)],
    [
      "a person has pushed a state",
      (story: Story) => {
        const written = { how: "Push", by: "ann", at: new Date(story.now()).toISOString(), serial: 2 } as const;
        const record = story.records.get("a");
        assert.ok(record);
        story.records.set("a", { ...record, written });
      },
    ],
  ] as const) {
    it(`a recovery that fails half way is followed by another plan for a person, also when ${what}`, () => {
      const story = cutOff();
      story.hold("a");
      story.end("a", "Failed", { reason: "ApplyFailed", retry: "Backoff" });
      story.pass(HOUR_MS);
      happens(story);
      story.round();
      assert.match(open(story).spec.cause.detail ?? "", /^Run 1 was interrupted/);
      assert.deepEqual(asks(story), FOR_ONE);
      story.hold("a");
      assert.equal(story.verdict("a").state, "AwaitingApproval", "and that waits");
    });
  }

  it("a renamed component still waits for a person", () => {
    const story = aStory(anEnvironment([aComponent("net")]));
    story.round();
    story.end("net", "Interrupted");
    const renamed = aComponent("network", { formerName: "net" });
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [renamed] } }));
    story.round();
    story.round();
    assert.deepEqual(story.started, ["Apply net #1", "Apply network #2"]);
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("a destroy that did not come to its end changes nothing about it", () => {
    const story = aStory(anEnvironment([aComponent("a"), aComponent("b")]));
    story.round();
    story.end("b", "Applied");
    story.end("a", "Interrupted");
    const { spec } = story.environment();
    story.edit((environment) => ({ ...environment, spec: { ...spec, components: [aComponent("b")] } }));
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "a" });
    story.round();
    story.end("a", "Interrupted");
    story.edit((environment) => ({ ...environment, spec }));
    story.round();
    assert.deepEqual(story.started.slice(2), ["Destroy a #2", "Apply a #3"]);
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("going back to what was applied is no end of it: what had been begun may be made twice", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    const { spec } = story.environment();
    edit(story, 2);
    story.round();
    story.end("a", "Interrupted");
    story.edit((environment) => ({ ...environment, spec }));
    story.round();
    story.end("a", "Unchanged");
    story.report();
    assert.equal(story.verdict("a").state, "Ready");
    assert.ok(story.environment().status?.components?.[0]?.interrupted, "and that is told");
    edit(story, 2);
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
    story.hold("a");
    story.end("a", "Applied");
    story.report();
    assert.equal(story.environment().status?.components?.[0]?.interrupted, undefined);
  });

  it("a correction of drift is for a person, too, as long as that is not settled", () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { drift: { interval: "1h", action: "Correct" } } }));
    story.settle();
    const { spec } = story.environment();
    edit(story, 2);
    story.round();
    story.end("a", "Interrupted");
    story.edit((environment) => ({ ...environment, spec }));
    story.round();
    story.end("a", "Unchanged");
    while (story.openChecks().length === 0) {
      story.pass(HOUR_MS / 2);
      story.round();
    }
    story.endCheck("a", "Drifted");
    story.round();
    assert.equal(open(story).spec.cause.type, "DriftFound");
    assert.deepEqual(asks(story), FOR_ONE);
    story.hold("a");
    assert.equal(story.verdict("a").state, "AwaitingApproval", "and that waits");
  });

  it("an override of the windows is not kept for what a person is asked about", () => {
    const never = { name: "never", type: "Allow", schedule: "0 0 1 1 *", duration: "1h", timeZone: "UTC" } as const;
    const story = aStory(anEnvironment([aComponent("a")], { spec: { windows: [never] } }));
    story.pass(48 * HOUR_MS);
    story.annotate({ [ANNOTATIONS.windowOverride]: "now or never" });
    story.round();
    story.end("a", "Interrupted");
    story.round();
    story.hold("a");
    const decision = story.decision();
    assert.ok("overrideSpent" in decision && decision.overrideSpent);
    const approved = { approver: "ann", decision: "Approve", at: new Date(story.now()).toISOString() } as const;
    const run = open(story);
    story.putRun({ ...run, status: { ...run.status, observedGeneration: 1, approvals: [approved] } });
    const agreed = story.decision();
    assert.ok("verdicts" in agreed && !agreed.overrideSpent, "what people have approved may use another one");
  });

  it("a recovery that is cut off waits for a person again", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Interrupted");
    story.round();
    assert.match(open(story).spec.cause.detail ?? "", /^Run 2 was interrupted/);
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("what it uses stays awake with it", () => {
    const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
    const lifetime = { sleep } as NonNullable<EnvironmentSpec["lifetime"]>;
    const destroyed = { sleep: { destroy: true } } as const;
    const components = [aComponent("base", destroyed), aComponent("a", { needs: ["base"], ...destroyed })];
    const story = aStory(anEnvironment(components, { spec: { lifetime } }));
    story.pass(19 * HOUR_MS);
    story.round();
    story.end("base", "Applied");
    story.round();
    story.end("a", "Interrupted");
    story.round();
    const run = story.hold("a");
    story.pass(2 * HOUR_MS);
    assert.equal(story.verdict("base").state, "Ready");
    assert.deepEqual(planStanding(story.observation(), run), { type: "stands" });
    story.end("a", "Applied");
    story.round();
    assert.deepEqual(story.started.slice(-1), ["Destroy a #3"], "and sleeps with it");
  });

  it("the value of the request that was applied last is no new word", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.annotate({ [ANNOTATIONS.requestedAt]: "first" });
    story.settle();
    story.annotate({ [ANNOTATIONS.requestedAt]: "second" });
    story.round();
    story.end("a", "Interrupted");
    story.annotate({ [ANNOTATIONS.requestedAt]: "first" });
    story.round();
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("the Run tells of it where the record is behind, or was written by an earlier version", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.end("a", "Interrupted");
    const { cutOff: _unknown, ...record } = story.records.get("a") ?? assert.fail();
    story.records.set("a", record);
    for (let plans = 0; plans < 2; plans += 1) {
      story.round();
      assert.deepEqual(asks(story), FOR_ONE);
      story.hold("a");
      assert.equal(story.verdict("a").state, "AwaitingApproval");
      story.end("a", "Cancelled", { reason: "PlanExpired" });
    }
  });

  it("nothing is begun while the Environment is suspended", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: true } }));
    story.end("a", "Interrupted");
    story.round();
    assert.equal(story.started.length, 1);
    assert.equal(story.verdict("a").state, "Suspended");
  });

  it("deletion voids the plan, and destroys what the state knows", () => {
    const story = cutOff();
    story.hold("a");
    story.delete();
    story.round();
    assert.deepEqual(story.superseded, ["the component is to be removed"]);
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Destroy a #3"]);
    assert.equal(story.decision().type, "letGo");
  });

  it("what the journal names and no state has keeps a deleted Environment until a person has seen to it", () => {
    const story = aStory(anEnvironment([aComponent("a"), aComponent("b", { needs: ["a"] })]));
    story.round();
    const leftovers = [{ address: "thing.a", id: "i-1" }, { address: "thing.b" }];
    story.end("a", "Interrupted", { journal: { entries: 3, leftovers } });
    story.delete();
    story.settle();
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
    const { state, reason, message } = story.verdict("a");
    const [run] = story.runs();
    assert.deepEqual([state, reason], ["Stalled", "LeftBehind"]);
    assert.match(
      message,
      /^remove by hand what Run 1 had begun, .*confirm-gone=shop-a-[0-9a-f]+: thing\.a \(i-1\), thing\.b$/,
    );
    assert.equal(story.decision().type, "dismantle");
    story.annotate({ [ANNOTATIONS.confirmGone]: `another, ${run?.metadata.name}` });
    story.settle();
    assert.equal(story.decision().type, "letGo");
  });

  it("the plan holds in the eyes of whoever sees this Run alone, also at night", () => {
    const sleep = { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" };
    const lifetime = { sleep } as NonNullable<EnvironmentSpec["lifetime"]>;
    const story = aStory(anEnvironment([aComponent("a", { sleep: { destroy: true } })], { spec: { lifetime } }));
    story.pass(19 * HOUR_MS);
    story.round();
    story.end("a", "Interrupted");
    story.round();
    const run = story.hold("a");
    for (const hours of [0, 6, 6, 6]) {
      story.pass(hours * HOUR_MS);
      assert.equal(story.verdict("a").state, "AwaitingApproval");
      const alone = { ...story.observation(), runs: [] };
      assert.deepEqual(planStanding(alone, run), { type: "stands" });
    }
  });
});
