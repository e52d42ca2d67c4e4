import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { changed, conditionOf, declare, edit, HOUR, proposed, statusOf, watching, whenDue } from "./drift-story.ts";

describe("Drift whose correction is to be proposed", () => {
  it("asks at least one person, although no rule does", () => {
    const story = proposed();
    assert.deepEqual(story.started.slice(2), ["Apply network #3"]);
    assert.deepEqual(story.openRuns()[0]?.spec.rules, {
      approval: { required: 1, expiresAfter: "24h" },
    });
  });

  it("waits, and stops no dependent meanwhile", () => {
    const story = proposed();
    assert.deepEqual([story.verdict("network").state, story.verdict("network").satisfied], ["AwaitingApproval", true]);
    assert.equal(conditionOf(story, "AwaitingApproval")?.status, "True");
    assert.equal(story.verdict("app").state, "Ready");
  });

  it("leaves the whole as ready as before, for tools that wait and for people who count", () => {
    const story = proposed();
    const { summary } = statusOf(story);
    assert.equal(summary, "2/2 ready");
    for (const [type, status] of [
      ["Ready", "True"],
      ["Reconciling", "False"],
      ["Stalled", "False"],
    ] as const)
      assert.equal(conditionOf(story, type)?.status, status, type);
  });

  for (const reason of ["ForeignPod", "RightMissing"])
    it(`is shown as itself where its pod cannot be made: ${reason}`, () => {
      const story = proposed();
      const [run] = story.openRuns();
      const succeeded = { type: "Succeeded", status: "Unknown", reason } as never;
      story.tell(run ?? assert.fail(), { conditions: [succeeded], message: "what a person has to do" });
      const { state, satisfied } = story.verdict("network");
      assert.deepEqual([state, satisfied], ["Stalled", false]);
      assert.equal(statusOf(story).summary, "0/2 ready");
      const stalled = conditionOf(story, "Stalled");
      assert.deepEqual([stalled?.status, stalled?.reason], ["True", reason]);
      assert.equal(conditionOf(story, "Ready")?.status, "False");
    });

  for (const [when, tries] of [
    ["at once", 1],
    ["also after that plan has expired", 2],
  ] as const) {
    it(`that fails half way is followed by another plan for a person, which waits, ${when}`, () => {
      const story = proposed();
      story.end("network", "Failed", { reason: "ApplyFailed", retry: "Backoff" });
      story.pass(20_000);
      for (let expired = 1; expired < tries; expired += 1) {
        story.round();
        story.hold("network");
        story.end("network", "Cancelled", { reason: "PlanExpired" });
      }
      story.round();
      const next = story.hold("network");
      assert.deepEqual(next.spec.rules?.approval, { required: 1, expiresAfter: "24h" });
      assert.equal(story.verdict("network").state, "AwaitingApproval");
    });
  }

  it("that is void because what it was made on has changed leaves all as ready as before", () => {
    const story = watching({ interval: "1h", action: "Propose" });
    whenDue(story);
    story.endCheck("network", "Unchanged");
    story.endCheck("app", "Drifted");
    story.round();
    story.hold("app");
    const record = story.records.get("network") ?? assert.fail();
    const state = { serial: 99, lineage: "l", resources: 1, run: "r", at: "", blob: {} as never };
    story.records.set("network", { ...record, state });
    const verdict = story.verdict("app");
    assert.deepEqual([verdict.step.type, verdict.satisfied], ["supersede", true]);
    assert.equal(conditionOf(story, "Ready")?.status, "True");
  });

  it("that waits, or has become void, lets nobody begin before what it needs is applied", () => {
    for (const isVoid of [false, true]) {
      const story = watching({ interval: "1h", action: "Propose" }, ["network", "app", "site"]);
      whenDue(story);
      for (const name of ["network", "site"]) story.endCheck(name, "Unchanged");
      story.endCheck("app", "Drifted");
      story.round();
      story.hold("app");
      story.started.length = 0;
      story.edit((environment) => ({
        ...environment,
        spec: {
          ...environment.spec,
          components: environment.spec.components.map((one) => (one.name === "app" ? one : changed(one))),
        },
      }));
      if (isVoid) declare(story, { interval: "1h" });
      assert.deepEqual([story.verdict("app").satisfied, story.verdict("site").state], [false, "Blocked"]);
      story.round();
      assert.deepEqual(story.started, ["Apply network #3"]);
      assert.equal(conditionOf(story, "Ready")?.status, "False");
    }
  });

  const losses: Readonly<Record<string, (record: ComponentRecord) => ComponentRecord | undefined>> = {
    "its record is lost": () => undefined,
    "its record is an older one": ({ applied: _applied, drift: _drift, ...older }) => older,
    "its state belongs to another Environment": (record) => ({ ...record, owner: { environmentUid: "another" } }),
    "a copy of its state waits for a person": (record) => ({
      ...record,
      recovery: { blob: { id: "r", kind: "recovery", digest: "sha256:0", size: 1, chunks: 1 }, run: "r", at: "" },
    }),
  };
  for (const [what, lose] of Object.entries(losses))
    it(`hides nothing, and lets nobody build on its component, where ${what}`, () => {
      const story = proposed();
      story.pass(HOUR);
      const left = lose(story.records.get("network") ?? assert.fail());
      if (left === undefined) story.records.delete("network");
      else story.records.set("network", left);
      assert.equal(conditionOf(story, "Ready")?.status, "False");
      assert.equal(conditionOf(story, "Stalled")?.status, "True");
      story.started.length = 0;
      edit(story, "app");
      story.round();
      assert.deepEqual(story.started, []);
    });

  it("hides no windows that cannot be used", () => {
    const story = proposed();
    const window = {
      name: "never",
      type: "Allow",
      schedule: "0 0 * * *",
      duration: "1m",
      timeZone: "Mars/Olympus",
    } as const;
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, windows: [window] } }));
    assert.equal(story.verdict("network").reason, "ScheduleInvalid");
  });

  it("does not keep an override of the windows in force", () => {
    const story = proposed();
    const closed = { name: "never", type: "Allow", schedule: "0 0 29 2 *", duration: "1m", timeZone: "UTC" } as const;
    edit(story, "app", { windows: [closed] });
    story.annotate({ [ANNOTATIONS.windowOverride]: "the shop is down" });
    story.round();
    story.end("app", "Applied");
    const decision = story.decision();
    assert.ok("overrideSpent" in decision && decision.overrideSpent);
  });

  it("is void when drift is only to be reported, and when something else is declared", () => {
    const changes: readonly Partial<Environment["spec"]>[] = [
      { drift: { interval: "1h" } },
      { variables: [{ name: "a", value: 1 }] },
    ];
    for (const spec of changes) {
      const story = proposed();
      story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...spec } }));
      assert.equal(story.verdict("network").step.type, "supersede");
    }
  });

  it("is void when its rules are edited, which leaves all as ready as before", () => {
    const story = proposed();
    edit(story, "site", { approval: { required: 2, planExpiresAfter: "24h" } });
    const verdict = story.verdict("network");
    assert.deepEqual(
      [verdict.step.type, verdict.message, verdict.satisfied],
      ["supersede", "the plan of Run 3 is void: the rules for plans have changed", true],
    );
    assert.equal(conditionOf(story, "Ready")?.status, "True");
    story.round();
    story.round();
    assert.deepEqual(story.started.slice(3), ["Apply network #4"]);
    assert.equal(story.hold("network").spec.rules?.approval?.required, 2);
  });

  it("is proposed again where its Run was cancelled, and something is edited", () => {
    const story = proposed();
    story.end("network", "Cancelled", { reason: "Cancelled", message: "cancelled by a person" });
    story.round();
    assert.equal(story.openRuns().length, 0);
    edit(story, "app");
    story.round();
    assert.deepEqual(story.started.slice(3), ["Apply network #4", "Apply app #3"]);
  });
});
