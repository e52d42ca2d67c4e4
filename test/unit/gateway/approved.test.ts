import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { RUNS } from "../../../operator/cluster/resources.ts";
import type { Verdict } from "../../../operator/gateway/protocol.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { type ApprovalWorld, aPlan, approvalWorld, rules } from "./approval-world.ts";
import { NAMESPACE } from "./gateway-world.ts";

describe("a plan that asks to be applied", () => {
  let world: ApprovalWorld;
  beforeEach(async () => {
    world = await approvalWorld();
  });
  afterEach(() => world.close());

  it("is applied once it is approved, by the second pod", async () => {
    const run = world.aRun("network", 1, { rules });
    await world.held(run);
    world.say(run);
    const second = await world.aWorker(run, "Apply");
    const answer = await second.ask("POST", "/v1/plan", aPlan());
    assert.deepEqual([answer.json.verdict, answer.json.message], ["Apply", "approved by ada"]);
    const status = await world.runStatus(run);
    assert.ok(status?.applyStartedAt !== undefined);
    assert.deepEqual([status.plan?.verdict, status.plan?.why], ["Apply", "approved by ada"]);
    const again = await second.ask("POST", "/v1/plan", aPlan());
    assert.equal(again.json.verdict, "Apply", "an answer that was lost is given again");
  });

  const refusals = [
    { when: "nobody has approved it", words: [], plan: {}, reason: "Superseded" },
    {
      when: "the approval is for another plan",
      words: [{ planDigest: `sha256:${"b".repeat(64)}` }],
      plan: {},
      reason: "Superseded",
    },
    {
      when: "the approval is for an older Run",
      words: [{ run: { name: "shop-network-1", uid: "older" } }],
      plan: {},
      reason: "Superseded",
    },
    {
      when: "somebody rejected it",
      words: [{}, { approver: "bob", decision: "Reject" as const }],
      plan: {},
      reason: "Rejected",
    },
    {
      when: "the pod comes with another plan",
      words: [{}],
      plan: { digest: `sha256:${"c".repeat(64)}` },
      reason: "Superseded",
    },
    {
      when: "a Secret that it was made from has changed",
      words: [{}],
      plan: { inputsDigest: "another" },
      reason: "Superseded",
    },
  ];
  for (const { when, words, plan, reason } of refusals) {
    it(`is not applied where ${when}`, async () => {
      const run = world.aRun("network", 1, { rules });
      await world.held(run);
      for (const word of words) world.say(run, word);
      const second = await world.aWorker(run, "Apply");
      const answer = await second.ask("POST", "/v1/plan", aPlan(plan));
      assert.deepEqual([answer.json.verdict, answer.json.reason], ["Refuse", reason]);
      assert.equal((await world.runStatus(run))?.applyStartedAt, undefined);
      assert.equal((await world.recordOf(run)).mayHoldObjects, false, "nothing was begun");
    });
  }

  it("is not applied for an approval in another namespace, although that one names this Run and this plan", async () => {
    const run = world.aRun("network", 1, { rules });
    await world.held(run);
    world.say(run, {}, new Date(), "another-team");
    const second = await world.aWorker(run, "Apply");
    const answer = await second.ask("POST", "/v1/plan", aPlan());
    assert.deepEqual([answer.json.verdict, answer.json.reason], ["Refuse", "Superseded"]);
    assert.equal((await world.runStatus(run))?.applyStartedAt, undefined);
  });

  it("is not applied where it has expired before its second pod asks, although it was approved in time", async () => {
    await world.close();
    let laterMs = 0;
    const clock = { ...systemClock, now: () => new Date(Date.now() + laterMs) };
    world = await approvalWorld({ clock });
    const run = world.aRun("network", 1, { rules });
    await world.held(run);
    world.say(run);
    laterMs = 3_600_001;
    const second = await world.aWorker(run, "Apply");
    const answer = await second.ask("POST", "/v1/plan", aPlan());
    assert.deepEqual([answer.json.verdict, answer.json.reason], ["Refuse", "PlanExpired"]);
    assert.equal((await world.runStatus(run))?.applyStartedAt, undefined);
    assert.equal((await world.recordOf(run)).mayHoldObjects, false, "nothing was begun");
  });

  it("is not applied where somebody has called it off while the second pod started", async () => {
    const run = world.aRun("network", 1, { rules });
    await world.held(run);
    world.say(run);
    const second = await world.aWorker(run, "Apply");
    const annotations = { [ANNOTATIONS.superseded]: "changed: variable size" };
    await world.client.mergePatch(RUNS, NAMESPACE, run.metadata.name, { metadata: { annotations } });
    const answer = await second.ask("POST", "/v1/plan", aPlan());
    assert.deepEqual([answer.json.verdict, answer.json.reason], ["Refuse", "Superseded"]);
    assert.equal((await world.runStatus(run))?.applyStartedAt, undefined);
  });

  it("is applied where it was granted, although the answer was lost and it would have to wait by now", async () => {
    await world.close();
    let closed = false;
    const granted: Verdict = { verdict: "Apply", reason: "NoApprovalNeeded", message: "nobody has to be asked" };
    const late: Verdict = { verdict: "Hold", reason: "WindowClosed", message: "no window is open" };
    const judge = () => (closed ? late : granted);
    world = await approvalWorld({ judge });
    const first = await world.aWorker(world.aRun("network", 1), "Plan");
    await first.ask("PUT", "/v1/archive", Buffer.from("the archive"));
    assert.equal((await first.ask("POST", "/v1/plan", aPlan())).json.verdict, "Apply");
    closed = true;
    assert.equal((await first.ask("POST", "/v1/plan", aPlan())).json.verdict, "Apply");
  });

  for (const reason of ["Suspended", "WindowClosed", "ScheduleInvalid"]) {
    it(`is refused where it has to wait again when its second pod asks: ${reason}`, async () => {
      await world.close();
      const judge = () => ({ verdict: "Hold", reason, message: "not now" }) as const;
      world = await approvalWorld({ judge });
      const run = world.aRun("network", 1);
      assert.equal((await world.held(run)).verdict.json.verdict, "Hold");
      const second = await world.aWorker(run, "Apply");
      const { json } = await second.ask("POST", "/v1/plan", aPlan());
      assert.deepEqual([json.verdict, json.reason], ["Refuse", reason]);
    });
  }

  it("that destroys and does nothing else is applied when the stricter rule is met, and not before", async () => {
    const stricter = { approval: { required: 0, expiresAfter: "1h", destroy: { required: 2 } } };
    const destroying = { counts: { create: 0, update: 0, replace: 0, delete: 1 } };
    const run = world.aRun("network", 1, { rules: stricter });
    const { verdict } = await world.held(run, destroying);
    assert.equal(verdict.json.verdict, "Hold");
    world.say(run);
    const second = await world.aWorker(run, "Apply");
    assert.equal((await second.ask("POST", "/v1/plan", aPlan(destroying))).json.verdict, "Refuse");
    world.say(run, { approver: "bob" });
    assert.equal((await second.ask("POST", "/v1/plan", aPlan(destroying))).json.verdict, "Apply");
  });

  it("is applied at once where the rules ask for nobody", async () => {
    const run = world.aRun("network", 1);
    const first = await world.aWorker(run, "Plan");
    await first.ask("PUT", "/v1/archive", Buffer.from("the archive"));
    assert.equal((await first.ask("POST", "/v1/plan", aPlan())).json.verdict, "Apply");
  });
});
