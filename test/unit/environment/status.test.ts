import assert from "node:assert/strict";
import fc from "fast-check";
import type { Environment } from "../../../operator/api/environment.ts";
import { type EnvironmentStatus, environmentStatus } from "../../../operator/api/environment-status.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Decision } from "../../../operator/environment/decide.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import type { Verdict } from "../../../operator/environment/verdict.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { aComponent, anEnvironment, aRecord, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";
import { aVerdict } from "./verdicts.ts";

const now = new Date(T0);

const converge = (...verdicts: readonly Verdict[]): Decision => ({ type: "converge", verdicts });
const dismantle = (...verdicts: readonly Verdict[]): Decision => ({ type: "dismantle", verdicts });
const environmentOf = (names: readonly string[], more: Parameters<typeof anEnvironment>[1] = {}): Environment =>
  anEnvironment(
    names.map((name) => aComponent(name)),
    more,
  );

function statusOf(decision: Decision, environment = environmentOf(["a", "b", "c"])): EnvironmentStatus {
  const status = statusFor(environment, decision, { lines: [] }, now);
  assert.ok(status !== undefined);
  return status;
}

/** `Ready=… Reconciling=… Stalled=…`, each with its reason. */
const conditions = (status: EnvironmentStatus): readonly string[] =>
  (status.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value} ${reason}`);

const ready = (name: string) => aVerdict(name, "Ready", "Applied", { satisfied: true });

describe("The conditions of an Environment", () => {
  it("are Ready alone when everything is applied", () => {
    assert.deepEqual(conditions(statusOf(converge(ready("a"), ready("b")))), [
      "Ready=True Applied",
      "Reconciling=False Applied",
      "Stalled=False Progressing",
    ]);
  });

  it("are Reconciling while a Run is under way", () => {
    assert.deepEqual(conditions(statusOf(converge(ready("a"), aVerdict("b", "Applying", "Progressing")))), [
      "Ready=False Progressing",
      "Reconciling=True Progressing",
      "Stalled=False Progressing",
    ]);
  });

  it("are Reconciling while the next try is scheduled, with the reason of the failure", () => {
    const failing = aVerdict("b", "Failed", "PlanFailed", { wakeAtMs: T0 + 10_000, retries: 1 });
    assert.deepEqual(conditions(statusOf(converge(ready("a"), failing))), [
      "Ready=False PlanFailed",
      "Reconciling=True Progressing",
      "Stalled=False Progressing",
    ]);
  });

  it("are Stalled when only a person can go on", () => {
    assert.deepEqual(conditions(statusOf(converge(ready("a"), aVerdict("b", "Failed", "RetriesExhausted")))), [
      "Ready=False RetriesExhausted",
      "Reconciling=False RetriesExhausted",
      "Stalled=True RetriesExhausted",
    ]);
  });

  it("are Stalled alone when one component needs a person and another moves by itself, which is told", () => {
    const status = statusOf(
      converge(aVerdict("a", "Applying", "Progressing"), aVerdict("b", "Interrupted", "Interrupted")),
    );
    assert.deepEqual(conditions(status), [
      "Ready=False Interrupted",
      "Reconciling=False Interrupted",
      "Stalled=True Interrupted",
    ]);
    assert.match(status.conditions?.[1]?.message ?? "", /beside that goes on: a \(Applying\)/);
  });

  it("name the same component in Ready and Stalled, whichever order they are declared in", () => {
    const [first, then] = [aVerdict("a", "Failed", "PlanFailed"), aVerdict("b", "Interrupted", "Interrupted")];
    for (const decision of [converge(first, then), converge(then, first)]) {
      const [ready, , stalled] = statusOf(decision).conditions ?? [];
      assert.deepEqual([ready?.reason, ready?.message], [stalled?.reason, stalled?.message]);
    }
  });

  it("stay Stalled when the outputs cannot be written either", () => {
    const published = { lines: [], error: new Error("denied") };
    const decision = converge(aVerdict("a", "Interrupted", "Interrupted"));
    const status = statusFor(environmentOf(["a"]), decision, published, now);
    assert.deepEqual(conditions(status ?? { observedGeneration: 1 }).slice(1), [
      "Reconciling=False Interrupted",
      "Stalled=True Interrupted",
    ]);
  });

  it("are neither Stalled nor Reconciling while suspended", () => {
    assert.deepEqual(conditions(statusOf(converge(aVerdict("a", "Suspended", "Suspended")))), [
      "Ready=False Suspended",
      "Reconciling=False Suspended",
      "Stalled=False Progressing",
    ]);
  });

  it("stay Ready, and say so, when it is suspended with everything applied", () => {
    const status = statusOf(converge(ready("a")), environmentOf(["a"], { spec: { suspend: true } }));
    assert.deepEqual(conditions(status)[0], "Ready=True Applied");
    assert.match(status.conditions?.[0]?.message ?? "", /suspended/);
  });

  it("are Stalled for an output that nobody has, while the component is Ready", () => {
    const promise = { name: "url", valueFrom: { output: { component: "a", name: "endpoint" } } };
    const environment = environmentOf(["a", "b"], { spec: { outputs: [promise] } });
    const status = statusOf(converge(ready("a"), ready("b")), environment);
    assert.deepEqual(conditions(status), [
      "Ready=False OutputMissing",
      "Reconciling=False Applied",
      "Stalled=True OutputMissing",
    ]);
    assert.match(status.conditions?.[0]?.message ?? "", /^spec\.outputs\[url\]: component a has no output endpoint/);
    assert.equal(status.summary, "2/2 ready");
    assert.equal(status.components?.[0]?.state, "Ready");
    const worse = statusOf(converge(ready("a"), aVerdict("b", "Interrupted", "Interrupted")), environment);
    assert.deepEqual(conditions(worse).slice(0, 1), ["Ready=False Interrupted"]);
    assert.equal(conditions(worse)[2], "Stalled=True Interrupted");
  });

  it("are never Ready while it is being deleted", () => {
    const status = statusOf(dismantle(aVerdict("a", "Destroyed", "Destroyed"), aVerdict("b", "Destroyed", "Released")));
    assert.deepEqual(conditions(status).slice(0, 2), ["Ready=False Destroying", "Reconciling=True Destroying"]);
    assert.equal(status.summary, "2/2 gone");
  });

  it("let the component speak that needs a person, then one that failed, and one that is blocked last", () => {
    const blocked = aVerdict("a", "Blocked", "Blocked");
    const moving = aVerdict("b", "Planning", "Progressing");
    const failed = aVerdict("c", "Failed", "PlanFailed", { wakeAtMs: T0 + 1 });
    const stuck = aVerdict("d", "Stalled", "OutputMissing");
    const speaker = (...verdicts: readonly Verdict[]) => statusOf(converge(...verdicts)).conditions?.[0]?.message;
    assert.match(speaker(blocked, moving, failed, stuck) ?? "", /^d: /);
    assert.match(speaker(blocked, moving, failed) ?? "", /^c: /);
    assert.match(speaker(blocked, moving) ?? "", /^b: /);
  });

  it("can be written, however long that is which somebody has said", () => {
    const said = fc.string({ unit: "grapheme", minLength: 300, maxLength: 3000, size: "max" });
    const states = fc.constantFrom("Failed", "Interrupted", "AwaitingApproval", "Applying", "Suspended");
    fc.assert(
      fc.property(said, states, (message, state) => {
        for (const decide of [converge, dismantle]) {
          const status = statusOf(decide(aVerdict("a", state, "Progressing", { message })));
          assert.deepEqual(environmentStatus.safeParse(status).error?.issues ?? [], []);
        }
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });

  it("carry the generation that they speak of", () => {
    const status = statusOf(converge(ready("a")), environmentOf(["a"], { metadata: { generation: 7 } }));
    assert.equal(status.observedGeneration, 7);
    assert.deepEqual(new Set(status.conditions?.map(({ observedGeneration }) => observedGeneration)), new Set([7]));
  });

  it("keep the time of their transition until their status changes", () => {
    const before = statusOf(converge(aVerdict("a", "Planning", "Progressing")), environmentOf(["a"]));
    const environment = environmentOf(["a"], { status: before });
    const later = new Date(T0 + 60_000);
    const timesAfter = (decision: Decision) =>
      statusFor(environment, decision, { lines: [] }, later)?.conditions?.map(
        ({ lastTransitionTime }) => lastTransitionTime,
      );
    const same = now.toISOString();
    assert.deepEqual(timesAfter(converge(aVerdict("a", "Applying", "Progressing"))), [same, same, same]);
    assert.deepEqual(timesAfter(converge(ready("a"))), [later.toISOString(), later.toISOString(), same]);
  });
});

describe("The status of an Environment", () => {
  it("is not written before the finalizer, and not when it is let go", () => {
    const environment = environmentOf(["a"]);
    assert.equal(statusFor(environment, { type: "mark" }, { lines: [] }, now), undefined);
    assert.equal(statusFor(environment, { type: "letGo" }, { lines: [] }, now), undefined);
  });

  it("cuts messages where the schema does, and says that it did", () => {
    const message = "x".repeat(3_000);
    const names = Array.from({ length: 64 }, (_, index) => `component-${index}`);
    const status = statusOf(
      converge(...names.map((name) => aVerdict(name, "Failed", "PlanFailed", { message }))),
      environmentOf(names),
    );
    for (const line of status.components ?? []) {
      assert.ok(Buffer.byteLength(line?.message ?? "") <= 160);
      assert.ok(line.message?.endsWith("…"));
    }
    for (const condition of status.conditions ?? []) assert.ok(condition.message.length <= 1024);
    assert.ok(JSON.stringify(status).length < 32_768);
  });

  it("shows a removed component until what it made is gone, and remembers its policy meanwhile", () => {
    const environment = environmentOf(["a"], {
      status: {
        observedGeneration: 1,
        components: [{ name: "gone", state: "Ready", deletionPolicy: "Retain" }],
      },
    });
    const shown = statusOf(converge(ready("a"), aVerdict("gone", "Destroying", "Destroying")), environment);
    assert.deepEqual(
      shown.components?.map(({ name }) => name),
      ["a", "gone"],
    );
    assert.equal(shown.components?.[1]?.deletionPolicy, "Retain");
    const after = statusOf(converge(ready("a"), aVerdict("gone", "Destroyed", "Destroyed")), environment);
    assert.deepEqual(
      after.components?.map(({ name }) => name),
      ["a"],
    );
  });

  it("says when the next try begins, and nothing of the kind where there is none", () => {
    const [waits, ends] = [
      aVerdict("a", "Failed", "PlanFailed", { wakeAtMs: T0 + 10_000, retries: 2 }),
      aVerdict("b", "Failed", "RetriesExhausted", { retries: 6 }),
    ];
    const [a, b] = statusOf(converge(waits, ends)).components ?? [];
    assert.deepEqual([a?.retryAt, a?.retries], [new Date(T0 + 10_000).toISOString(), 2]);
    assert.deepEqual([b?.retryAt, b?.retries], [undefined, 6]);
  });

  it("names the request that it has seen", () => {
    const environment = environmentOf(["a"], { metadata: { annotations: { [ANNOTATIONS.requestedAt]: "now" } } });
    assert.equal(statusOf(converge(ready("a")), environment).handledRequest, "now");
  });

  it("names who holds a lock that nobody gives back, and says nothing of one that comes and goes", () => {
    const environment = anEnvironment([aComponent("a")]);
    const story = aStory(environment);
    story.round();
    const [run] = story.runs();
    const since = new Date(T0 - 3_600_000).toISOString();
    const lock = {
      id: "l",
      run: "shop-a-1",
      runUid: run?.metadata.uid ?? "",
      pod: "p",
      podUid: "u",
      operation: "",
      since,
    };
    const lineOf = () =>
      statusFor(environment, story.decision(), { lines: [] }, new Date(T0))?.components?.find(
        ({ name }) => name === "a",
      );
    story.records.set("a", aRecord("a", { lock }));
    assert.equal(lineOf()?.lock, undefined, "its Run is under way");
    story.records.set("a", aRecord("a", { lock: { ...lock, runUid: "unknown" } }));
    story.end("a", "Failed", { reason: "PlanFailed" });
    assert.deepEqual(lineOf()?.lock, { run: "shop-a-1", pod: "p", since, standing: "Foreign" });
  });

  it("names the Run that has the lock while that changes things, and not while it plans", () => {
    const story = aStory(environmentOf(["a"]));
    story.round();
    const { name, uid } = story.openRuns()[0]?.metadata ?? assert.fail();
    const since = now.toISOString();
    const lock = { id: "l", run: name, runUid: uid, pod: "p", podUid: "u", operation: "", since };
    const claim = { run: name, runUid: uid, number: 1, phase: "Plan", pod: "p", podUid: "u", at: since } as const;
    const lockSeen = (record: ComponentRecord) => {
      story.records.set("a", record);
      return statusFor(story.environment(), story.decision(), { lines: [] }, now)?.components?.[0]?.lock;
    };
    assert.equal(lockSeen(aRecord("a", { lock })), undefined, "in a plan it comes and goes");
    story.beginApply("a");
    assert.deepEqual(lockSeen(aRecord("a", { lock })), { run: name, pod: "p", since, standing: "Live" });
    assert.equal(lockSeen(aRecord("a", { claim })), undefined, "a claim alone is no lock");
  });

  it("does not name the Run that plans to destroy", () => {
    const story = aStory(environmentOf(["a"]));
    story.settle();
    story.delete();
    story.round();
    const { name, uid } = story.openRuns()[0]?.metadata ?? assert.fail();
    const lock = { id: "l", run: name, runUid: uid, pod: "p", podUid: "u", operation: "", since: now.toISOString() };
    story.records.set("a", { ...(story.records.get("a") ?? assert.fail()), lock });
    const line = statusFor(story.environment(), story.decision(), { lines: [] }, now)?.components?.[0];
    assert.deepEqual([line?.state, line?.lock], ["Destroying", undefined]);
  });
});
