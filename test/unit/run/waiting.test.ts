import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { type RunStatus, runStatus } from "../../../operator/api/run-status.ts";
import { decideRun } from "../../../operator/run/decide.ts";
import { podName } from "../../../operator/run/pod.ts";
import { statusAfter } from "../../../operator/run/status.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";
import { anApproval, DIGEST } from "../approval/approvals.ts";
import { aPod, begun, type ObservationFacts, observation, runSpec } from "./observations.ts";

const spec = runSpec({ rules: { approval: { required: 1, expiresAfter: "1h" } } });
const run = (more: Partial<RunStatus> = {}, annotations: Readonly<Record<string, string>> = {}) =>
  aRun(
    spec,
    begun({
      phase: "AwaitingApproval",
      heldAt: new Date(T0).toISOString(),
      plan: {
        digest: DIGEST,
        counts: { create: 1, update: 0, replace: 0, delete: 0 },
        resources: [],
        verdict: "Hold",
      },
      ...more,
    }),
    { annotations },
  );
const waiting = run();
const word = (facts: Parameters<typeof anApproval>[0] = {}) =>
  anApproval({ run: { name: waiting.metadata.name, uid: waiting.metadata.uid }, ...facts });
const see = (facts: ObservationFacts = {}) =>
  observation({ run: waiting, pod: undefined, nowMs: T0 + 5 * 60_000, ...facts });

describe("A Run whose plan waits", () => {
  it("waits for people, without a pod, until the plan expires, and says how to approve it", () => {
    const decision = decideRun(see());
    assert.equal(decision.type, "wait");
    assert.ok(decision.type === "wait");
    assert.equal(decision.phase, "AwaitingApproval");
    assert.equal(decision.wakeAtMs, T0 + 3_600_000);
    assert.match(decision.message, /0 of 1 given.*kubectl terrarium approve shop -n team/);
  });

  it("gets its second pod when enough people have approved", () => {
    assert.equal(decideRun(see({ approvals: [word()] })).type, "createPod");
  });

  it("needs as many as the stricter rule says where its plan destroys and does nothing else", () => {
    const rules = { approval: { required: 1, expiresAfter: "1h", destroy: { required: 2 } } };
    const { status } = waiting;
    const plan = { ...(status?.plan ?? assert.fail()), counts: { create: 0, update: 0, replace: 0, delete: 1 } };
    const destroying = { ...waiting, spec: { ...waiting.spec, rules }, status: { ...status, plan } } as typeof waiting;
    const by = (...people: readonly string[]) => people.map((approver) => word({ approver }));
    const decided = (approvals: ReturnType<typeof by>) => decideRun(see({ run: destroying, approvals })).type;
    assert.deepEqual([decided(by("ada")), decided(by("ada", "bob"))], ["wait", "createPod"]);
  });

  it("does not get it for words about another plan", () => {
    assert.equal(decideRun(see({ approvals: [word({ planDigest: `sha256:${"c".repeat(64)}` })] })).type, "wait");
  });

  const ends = [
    {
      when: "somebody rejects it",
      facts: { approvals: [word({ decision: "Reject", reason: "no" })] },
      reason: "Rejected",
    },
    { when: "nobody decides in time", facts: { nowMs: T0 + 3_600_000 }, reason: "PlanExpired" },
    {
      when: "what it was made for has changed",
      facts: { run: run({}, { [ANNOTATIONS.superseded]: "changed: variable size" }), approvals: [word()] },
      reason: "Superseded",
    },
    {
      when: "it is known to be void, and nobody has marked it yet",
      facts: { standing: { type: "void", why: "database has been changed since" }, approvals: [word()] },
      reason: "Superseded",
    },
    { when: "the Environment is gone", facts: { environment: undefined, approvals: [word()] }, reason: "Destroying" },
  ] as const;
  for (const { when, facts, reason } of ends) {
    it(`ends without being applied when ${when}`, () => {
      const decision = decideRun(see(facts));
      assert.ok(decision.type === "cancel", decision.type);
      assert.equal(decision.outcome.result, "Cancelled");
      assert.equal(decision.outcome.reason, reason);
    });
  }

  it("ends as rejected where its plan was void by then: a no may be about more than this plan", () => {
    const approvals = [word({ decision: "Reject", reason: "never" })];
    for (const facts of [
      { run: run({}, { [ANNOTATIONS.superseded]: "changed: variable size" }) },
      { standing: { type: "void", why: "database has been changed since" } },
    ] as const) {
      const decision = decideRun(see({ ...facts, approvals }));
      assert.ok(decision.type === "cancel", decision.type);
      assert.deepEqual(
        [decision.outcome.reason, decision.outcome.message],
        ["Rejected", "ada rejected the plan: never"],
      );
    }
  });

  it("is not applied while the Environment is suspended, although it is approved", () => {
    const environment = anEnvironment([aComponent("network")], { spec: { suspend: true } });
    const decision = decideRun(see({ environment, approvals: [word()] }));
    assert.ok(decision.type === "wait");
    assert.match(decision.message, /suspend/);
  });

  it("is not applied outside of the windows, although it is approved, and is looked at again when one opens", () => {
    const nightly = { name: "nightly", type: "Allow", schedule: "0 2 * * *", duration: "1h", timeZone: "UTC" } as const;
    const environment = anEnvironment([aComponent("network")], { spec: { windows: [nightly] } });
    const decision = decideRun(see({ environment, approvals: [word()] }));
    assert.ok(decision.type === "wait");
    assert.match(decision.message, /approved; the apply waits/);
    assert.equal(decision.wakeAtMs, T0 + 3_600_000, "the plan expires before the window opens");
  });

  it("waits for a window, although it is approved, and is applied as it was when that opens", () => {
    const window = { name: "nights", type: "Allow", schedule: "0 1 * * *", duration: "2h", timeZone: "UTC" } as const;
    const environment = anEnvironment([aComponent("network")], { spec: { windows: [window] } });
    const decision = decideRun(see({ environment, approvals: [word()], nowMs: T0 + 30 * 60_000 }));
    assert.ok(decision.type === "wait");
    assert.equal(
      decision.message,
      "approved; the apply waits: no window is open: the next one opens at 2026-01-01T01:00:00Z",
    );
    assert.equal(decision.wakeAtMs, T0 + 3_600_000);
    const lasting = aRun(runSpec({ rules: { approval: { required: 1, expiresAfter: "24h" } } }), waiting.status);
    const open = { run: lasting, environment, approvals: [word()], nowMs: T0 + 3_600_000 };
    assert.equal(decideRun(see(open)).type, "createPod");
  });

  it("is not applied while something that it needs is being changed, although it is approved, and says what it waits for", () => {
    const standing = { type: "heldBack", why: "waits for database (Applying)" } as const;
    const decision = decideRun(see({ standing, approvals: [word()] }));
    assert.ok(decision.type === "wait");
    assert.equal(decision.message, "approved; waits for database (Applying)");
    assert.equal(decision.wakeAtMs, T0 + 3_600_000, "until it expires");
  });

  it("asks for approval all the same while something that it needs is being changed", () => {
    const decision = decideRun(see({ standing: { type: "heldBack", why: "waits for database (Applying)" } }));
    assert.ok(decision.type === "wait");
    assert.match(decision.message, /0 of 1 given/);
  });

  it("waits for a free place like any other", () => {
    const decision = decideRun(see({ approvals: [word()], freePlaces: 0 }));
    assert.ok(decision.type === "wait");
    assert.equal(decision.phase, "AwaitingApproval");
  });

  it("lets go of the pod that made the plan once that has ended, and not before", () => {
    const planPod = aPod({
      states: ["terminated", "terminated"],
      metadata: { ownerReferences: [{ apiVersion: "", kind: "Run", name: "the-run", uid: waiting.metadata.uid }] },
    });
    assert.equal(decideRun(see({ planPod })).type, "releasePod");
    assert.equal(decideRun(see({ planPod: aPod() })).type, "wait");
  });

  it("goes on with the pod that was made and not recorded, whatever people say meanwhile", () => {
    const decision = decideRun(see({ pod: aPod(), approvals: [word({ decision: "Reject" })] }));
    assert.equal(decision.type, "createPod");
  });

  it("is judged by its second pod from then on: its death is told like any other", () => {
    const second = { name: podName(waiting, "Apply"), uid: "second", createdAt: new Date(T0).toISOString() };
    const applying = run({ pods: [...(waiting.status?.pods ?? []), second] });
    const dead = aPod({ states: ["terminated", "terminated"], metadata: { uid: "second" } });
    assert.equal(decideRun(see({ run: applying, pod: dead })).type, "closeDead");
    assert.equal(decideRun(see({ run: applying, pod: aPod({ metadata: { uid: "second" } }) })).type, "wait");
  });

  describe("records what was said", () => {
    const again = (times: number) =>
      Array.from({ length: times }, (_, at) => word({ after: at / 60, name: `a-${at}` }));
    const bob = word({ approver: "bob", after: 3 });
    const no = word({ approver: "bob", decision: "Reject", after: 4, name: "no" });
    const second = { name: podName(waiting, "Apply"), uid: "second", createdAt: "" };
    const recorded = (approvals: readonly ReturnType<typeof word>[]) =>
      statusAfter(see({ approvals }), { type: "working", phase: "AwaitingApproval", message: "" }, new Date(T0));
    const namesIn = (status: RunStatus | undefined) =>
      status?.approvals?.map(({ approver, ignored }) => (ignored === undefined ? approver : `${approver} again`));

    it("with the words that count first, so that the others are what is cut, and says so", () => {
      const status = recorded([...again(21), bob]);
      assert.deepEqual(namesIn(status), ["ada", "bob", ...Array.from({ length: 18 }, () => "ada again")]);
      assert.equal(status?.approvalsTruncated, true);
    });

    it("whole where it is short enough, without a word about that", () => {
      const status = recorded([...again(19), bob]);
      assert.equal(status?.approvals?.length, 20);
      assert.ok(!("approvalsTruncated" in (status ?? {})));
    });

    it("for good: it stays as it was once the plan is applied, and when the Run has ended", () => {
      const { approvals, approvalsTruncated, expiresAt } = recorded([...again(21), bob]) ?? {};
      const said = { approvals, approvalsTruncated, expiresAt } as Partial<RunStatus>;
      const applying = run({ ...said, pods: [second], applyStartedAt: new Date(T0).toISOString() });
      const outcome = { result: "Applied", reason: "Applied", message: "" } as const;
      const seen = see({ run: applying, approvals: [no] });
      const ended = statusAfter(seen, { type: "closed", outcome }, new Date(T0));
      assert.equal(ended?.phase, "Succeeded");
      assert.deepEqual({ ...ended, ...said }, ended);
    });

    it("also by whoever said no when its second pod was made already, beside those on whose word that was", () => {
      const { approvals = [] } = recorded([word()]) ?? {};
      const starting = run({ approvals, pods: [second] });
      const outcome = { result: "Cancelled", reason: "Rejected", message: "bob rejected the plan" } as const;
      // An Approval that was taken away again was there all the same.
      const ended = statusAfter(see({ run: starting, approvals: [no] }), { type: "closed", outcome }, new Date(T0));
      assert.deepEqual(
        ended?.approvals?.map(({ approver, decision }) => `${approver}: ${decision}`),
        ["ada: Approve", "bob: Reject"],
      );
    });
  });

  it("says no more about what it waits for than its status has room for: the rest of the status counts, too", () => {
    const standing = { type: "heldBack", why: `waits for ${"customer-network-1 (Pending), ".repeat(60)}` } as const;
    const seen = see({ approvals: [word()], standing });
    const decision = decideRun(seen);
    assert.ok(decision.type === "wait" && decision.message.length > 1024);
    const acted = { type: "working", phase: "AwaitingApproval", message: decision.message } as const;
    const status = runStatus.parse(statusAfter(seen, acted, new Date(seen.nowMs)));
    assert.match(status.message ?? "", /^approved; waits for customer-network-1 .*…$/);
    assert.equal(status.approvals?.length, 1);
  });

  it("records who said what, and until when it waits", () => {
    const seen = see({ approvals: [word({ reason: "fine" }), word({ after: 2 })] });
    const status = statusAfter(
      seen,
      { type: "working", phase: "AwaitingApproval", message: "waits" },
      new Date(seen.nowMs),
    );
    assert.equal(status?.expiresAt, new Date(T0 + 3_600_000).toISOString());
    assert.deepEqual(
      status?.approvals?.map(({ approver, reason, ignored }) => ({ approver, reason, counts: ignored === undefined })),
      [
        { approver: "ada", reason: "fine", counts: true },
        { approver: "ada", reason: undefined, counts: false },
      ],
    );
    assert.equal(status?.heldAt, waiting.status?.heldAt);
  });
});
