import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import { surplusRuns } from "../../../operator/environment/history.ts";
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
const FOR_ONE = { required: 1, expiresAfter: "24h", always: true };

describe("After an apply that was cut off", () => {
  it("what is left to do is planned for a person, although no rule asks anybody", () => {
    const story = cutOff();
    assert.deepEqual(story.started, ["Apply a #1", "Apply a #2"]);
    assert.deepEqual(open(story).spec.cause, { type: "Recovery", detail: "Run 1 was interrupted" });
    assert.deepEqual(asks(story), FOR_ONE);
  });

  it("as many people are asked as the rules say, and nothing is exempt", () => {
    const story = cutOff({ approval: { required: 2, unless: "plan.delete == 0", planExpiresAfter: "2h" } });
    assert.deepEqual(asks(story), { required: 2, expiresAfter: "2h", always: true });
  });

  it("the Environment tells so, loudly, and names the journal where that has something", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    const journal = { entries: 2, leftovers: [{ address: "thing.a" }] };
    story.end("a", "Interrupted", { journal });
    const { state, reason, message } = story.verdict("a");
    assert.deepEqual([state, reason], ["Pending", "Recovering"]);
    assert.match(message, /^Run 1 was interrupted; its journal names what it made and no state has; Run 2 plans/);
    story.round();
    story.hold("a");
    assert.match(story.verdict("a").message, /approve shop: 0 of 1 .*; Run 1 was interrupted; its journal names/);
  });

  it("time changes nothing", () => {
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
    assert.deepEqual(open(story).spec.cause, {
      type: "Recovery",
      detail: "Run 1 was interrupted; a person asked to go on",
    });
    assert.equal(asks(story), undefined);
    story.end("a", "Failed", { reason: "PlanFailed", retry: "Backoff" });
    story.pass(HOUR_MS);
    story.round();
    assert.equal(asks(story), undefined, "the next try of that is what was asked for, too");
  });

  it("a recovery that fails half way is followed by another plan for a person", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Failed", { reason: "ApplyFailed", retry: "Backoff" });
    story.pass(HOUR_MS);
    story.round();
    assert.equal(open(story).spec.cause.type, "Retry");
    assert.deepEqual(asks(story), FOR_ONE);
    story.hold("a");
    assert.equal(story.verdict("a").state, "AwaitingApproval", "and that waits");
  });

  it("one that is cut off again begins anew", () => {
    const story = cutOff();
    story.hold("a");
    story.end("a", "Interrupted");
    story.round();
    assert.equal(open(story).spec.cause.detail, "Run 2 was interrupted");
    assert.deepEqual(asks(story), FOR_ONE);
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

  it("deletion goes on", () => {
    const story = cutOff();
    story.hold("a");
    story.delete();
    story.round();
    assert.deepEqual(story.superseded, ["the component is to be removed"]);
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Destroy a #3"]);
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

  it("its Run is kept until somebody has decided", () => {
    const story = cutOff();
    for (let tries = 0; tries < 3; tries += 1) {
      story.hold("a");
      story.end("a", "Cancelled", { reason: "PlanExpired" });
      story.round();
    }
    const newestFirst = () => story.runs().toSorted((a, b) => b.spec.number - a.spec.number);
    const surplus = () =>
      surplusRuns(newestFirst(), { successes: 1, failures: 1 }, new Date(story.now())).map(({ spec }) => spec.number);
    assert.deepEqual(surplus(), [3, 2]);
    story.hold("a");
    story.end("a", "Applied");
    assert.deepEqual(surplus(), [3, 2, 1]);
  });
});
