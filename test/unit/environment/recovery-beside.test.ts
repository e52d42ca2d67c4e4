import assert from "node:assert/strict";
import type { EnvironmentSpec } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { surplusRuns } from "../../../operator/environment/history.ts";
import { pastOf } from "../../../operator/environment/observation.ts";
import { planStanding } from "../../../operator/environment/plan-standing.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { asks, cutOff, edit, FOR_ONE, HOUR_MS, open } from "./recovery-story.ts";
import { aStory } from "./story.ts";

describe("Beside an apply that was cut off", () => {
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

  it("what only the journal in the store knows keeps it, too, where the Runs went with it, as in the foreground", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.round();
    story.end("a", "Interrupted", { journal: { entries: 3, leftovers: [{ address: "thing.a" }] } });
    const [run] = story.runs();
    const record = story.records.get("a");
    assert.ok(run !== undefined && record?.cutOff !== undefined);
    const journal = { run: run.metadata.name, blobs: [], entries: 3 };
    story.records.set("a", { ...record, cutOff: { ...record.cutOff, journal } });
    story.delete();
    story.forgetRun(run.metadata.name);
    story.settle();
    const { reason, message } = story.verdict("a");
    assert.equal(reason, "LeftBehind");
    assert.match(
      message,
      /confirm-gone=shop-a-[0-9a-f]+: what the journal tells: see kubectl terrarium state imports$/,
    );
    story.annotate({ [ANNOTATIONS.confirmGone]: run.metadata.name });
    story.settle();
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
      /^remove by hand what is left of what Run 1 had begun, .*confirm-gone=shop-a-[0-9a-f]+: thing\.a \(i-1\), thing\.b$/,
    );
    assert.equal(story.decision().type, "dismantle");
    story.annotate({ [ANNOTATIONS.confirmGone]: `another, ${run?.metadata.name}` });
    story.settle();
    assert.equal(story.decision().type, "letGo");
  });

  it("what an interrupted apply left is not forgotten when another one is interrupted, nor is its Run", () => {
    const leaving = (address: string) => ({ journal: { entries: 1, leftovers: [{ address }], more: 2 } });
    const story = aStory(anEnvironment([aComponent("a")], { spec: { history: { successes: 1, failures: 1 } } }));
    story.round();
    story.end("a", "Interrupted", leaving("thing.a"));
    story.annotate({ [ANNOTATIONS.requestedAt]: "once more" });
    story.round();
    story.end("a", "Interrupted", leaving("thing.b"));
    story.round();
    assert.equal(
      open(story).spec.cause.detail,
      "Run 2 was interrupted; its journal and that of Run 1 name what no state had then",
    );
    story.end("a", "Failed", { reason: "PlanFailed" });
    const past = pastOf(story.observation(), "a");
    assert.deepEqual(surplusRuns(past, story.environment().spec.history, new Date(story.now())), []);
    story.delete();
    story.settle();
    story.settle();
    const { reason, message } = story.verdict("a");
    assert.equal(reason, "LeftBehind");
    assert.match(
      message,
      /what Run 2 and Run 1 had begun, .*confirm-gone=shop-a-[0-9a-f]+: thing\.b, thing\.a and 4 more: see .* imports$/,
    );
    const [first, second] = story.runs().map(({ metadata }) => metadata.name);
    story.annotate({ [ANNOTATIONS.confirmGone]: first ?? "" });
    assert.match(story.verdict("a").message, /what Run 2 had begun, .*: thing\.b and 2 more: see .* imports$/);
    story.annotate({ [ANNOTATIONS.confirmGone]: second ?? "" });
    story.settle();
    assert.equal(story.decision().type, "letGo");
  });

  it("what the journal names is known under the new name, too, where the component was renamed", () => {
    const story = aStory(anEnvironment([aComponent("net")]));
    story.round();
    story.end("net", "Interrupted", { journal: { entries: 1, leftovers: [{ address: "thing.a", id: "i-1" }] } });
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, components: [aComponent("network", { formerName: "net" })] },
    }));
    story.round();
    story.round();
    assert.match(open(story).spec.cause.detail ?? "", /its journal names what no state had then/);
    story.end("network", "Failed", { reason: "PlanFailed" });
    story.delete();
    story.settle();
    story.settle();
    assert.equal(story.verdict("network").reason, "LeftBehind");
    assert.match(story.verdict("network").message, /what Run 1 had begun, .*: thing\.a \(i-1\)$/);
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
