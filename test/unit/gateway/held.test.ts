import assert from "node:assert/strict";
import type { ApprovalSpec } from "../../../operator/api/approval.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import { judgePlan } from "../../../operator/approval/judge.ts";
import { APPROVALS, RUNS } from "../../../operator/cluster/resources.ts";
import type { Verdict } from "../../../operator/gateway/protocol.ts";
import type { Judge } from "../../../operator/gateway/verdict.ts";
import { systemClock } from "../../../operator/loop/clock.ts";
import { endRun } from "../../../operator/storage/run-end.ts";
import { type GatewayWorld, gatewayWorld, NAMESPACE, type Reply } from "./gateway-world.ts";

const byRules: Judge = (plan, run) => judgePlan(plan, run.spec.rules, run.spec.operation);

let world: GatewayWorld;
beforeEach(async () => {
  world = await gatewayWorld({ judge: byRules });
});
afterEach(() => world.close());

const DIGEST = `sha256:${"a".repeat(64)}`;
const rules = { approval: { required: 1, expiresAfter: "1h" } };
const aPlan = (more: object = {}) => ({
  digest: DIGEST,
  counts: { create: 1, update: 0, replace: 0, delete: 0 },
  empty: false,
  resources: [],
  truncated: false,
  drifted: 0,
  inputsDigest: "hmac of the inputs",
  ...more,
});
const codeOf = ({ status, json }: Reply) =>
  `${status} ${(json.error as { code?: string } | undefined)?.code ?? ""}`.trim();

async function aWorker(run: Run, phase: "Plan" | "Apply") {
  const pod = world.aPod(run, { phase, suffix: phase === "Plan" ? "p" : "a" });
  const claimed = await world.claim(pod, run, world.replica, phase);
  const session = String(claimed.json.session);
  const ask = (method: string, path: string, body?: Buffer | object) =>
    world.call(world.gateway, method, path, session, body);
  return { claimed, order: claimed.json, ask };
}

/** The first pod of the Run has handed its plan over. */
async function held(run: Run, plan: object = {}) {
  const first = await aWorker(run, "Plan");
  await first.ask("PUT", "/v1/archive", Buffer.from("the archive"));
  const verdict = await first.ask("POST", "/v1/plan", aPlan(plan));
  const bundled = await first.ask("PUT", "/v1/plan/bundle", Buffer.from("the bundle"));
  return { first, verdict, bundled };
}

async function recordOf({ spec }: Run) {
  const { environment, component } = spec;
  const found = await world.store.record({ namespace: NAMESPACE, environment: environment.name, component });
  return found?.value ?? assert.fail();
}

function say(run: Run, more: Partial<ApprovalSpec> = {}, at = new Date(), namespace = NAMESPACE) {
  const { name, uid } = run.metadata;
  const spec = {
    environment: "shop",
    run: { name, uid },
    planDigest: DIGEST,
    decision: "Approve",
    approver: "ada",
    ...more,
  };
  const metadata = {
    name: `word-${more.approver ?? "ada"}`,
    namespace,
    creationTimestamp: at.toISOString(),
  };
  world.client.seed(APPROVALS, { metadata, spec } as never);
}

describe("a plan that needs approval", () => {
  it("is held: its bundle is stored, its pod is fenced, and the Run says since when", async () => {
    const run = world.aRun("network", 1, { rules });
    const { first, verdict, bundled } = await held(run);
    assert.equal(verdict.json.verdict, "Hold");
    assert.equal(bundled.status, 204);
    const status = await world.runStatus(run);
    assert.deepEqual([status?.plan?.verdict, status?.plan?.why], ["Hold", verdict.json.message]);
    assert.ok(status?.heldAt !== undefined);
    assert.equal(status.applyStartedAt, undefined);
    assert.equal(codeOf(await first.ask("POST", "/v1/plan", aPlan())), "409 Fenced");
    assert.equal(
      (await first.ask("PUT", "/v1/plan/bundle", Buffer.from("the bundle"))).status,
      204,
      "a repetition is fine",
    );
  });

  it("lends the login that its source was fetched with at once, so that its branch is followed while it waits", async () => {
    const git = { url: "https://git.example.com/modules.git", interval: "5m" };
    const run = world.aRun("network", 1, { rules }, { source: { git } });
    const login = { username: "robot", password: "a-long-password" };
    await held(run, { sourceCredentials: login, revision: "0123abcd" });
    const { sourceCredentials, held: waiting } = await recordOf(run);
    const { at, ...lent } = sourceCredentials ?? assert.fail();
    assert.deepEqual(lent, { ...login, url: git.url });
    assert.ok(Date.parse(at ?? "") > 0);
    assert.ok(!JSON.stringify(waiting).includes(login.password));
    const status = await world.runStatus(run);
    assert.equal(status?.plan?.revision, "0123abcd", "whoever approves sees of which commit it is");
    assert.ok(!JSON.stringify(status).includes(login.password));
  });

  it("is given to a second pod, with all that it was made from", async () => {
    const run = world.aRun("network", 1, { rules });
    await held(run);
    const second = await aWorker(run, "Apply");
    assert.equal((second.order.held as { digest: string }).digest, DIGEST);
    assert.ok("archive" in (second.order.source as object));
    assert.equal((await second.ask("GET", "/v1/plan/bundle")).bytes.toString(), "the bundle");
    assert.equal((await second.ask("GET", "/v1/archive")).bytes.toString(), "the archive");
  });

  it("is given to a second pod with the ConfigMap that its module came from, which may hold another one by now", async () => {
    const run = world.aRun("network", 1, { rules }, { source: { configMap: { name: "modules" } } });
    const { first } = await held(run);
    const second = await aWorker(run, "Apply");
    assert.deepEqual([first.order.sourceConfigMap, second.order.sourceConfigMap], ["modules", "modules"]);
  });

  it("is not called corrupt where the Run was ended while its bundle was read: it is told that it was", async () => {
    const run = world.aRun("network", 1, { rules });
    await held(run);
    const second = await aWorker(run, "Apply");
    const { getBlob } = world.store;
    const ended = async (...args: Parameters<typeof getBlob>) => {
      const { name, uid } = run.metadata;
      const { number, operation, environment } = run.spec;
      const ending = { name, uid, number, operation, environmentUid: environment.uid };
      await endRun(
        world.store,
        { namespace: NAMESPACE, environment: environment.name, component: run.spec.component },
        ending,
        { why: "it is over", proven: false },
        new Date(),
      );
      return getBlob(...args);
    };
    Object.assign(world.store, { getBlob: ended });
    assert.equal(codeOf(await second.ask("GET", "/v1/plan/bundle")), "409 Fenced");
  });

  it("is not applied where its bundle was deleted: nothing is begun, and it waits no more", async () => {
    const run = world.aRun("network", 1, { rules });
    await held(run);
    say(run);
    const bundle = (await recordOf(run)).held?.bundle ?? assert.fail();
    await world.store.deleteBlob({ storageId: "" }, bundle);
    const second = await aWorker(run, "Apply");
    assert.equal(codeOf(await second.ask("GET", "/v1/plan/bundle")), "409 StoreCorrupt");
    const outcome = { result: "Failed", reason: "PlanFailed", message: "a chunk is missing" };
    assert.equal((await second.ask("POST", "/v1/result", { outcome })).status, 204);
    const { held: waiting, applied, attempted, mayHoldObjects } = await recordOf(run);
    assert.deepEqual([waiting, applied, attempted, mayHoldObjects], [undefined, undefined, undefined, false]);
  });

  it("is applied once it is approved, by the second pod", async () => {
    const run = world.aRun("network", 1, { rules });
    await held(run);
    say(run);
    const second = await aWorker(run, "Apply");
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
      await held(run);
      for (const word of words) say(run, word);
      const second = await aWorker(run, "Apply");
      const answer = await second.ask("POST", "/v1/plan", aPlan(plan));
      assert.deepEqual([answer.json.verdict, answer.json.reason], ["Refuse", reason]);
      assert.equal((await world.runStatus(run))?.applyStartedAt, undefined);
      assert.equal((await recordOf(run)).mayHoldObjects, false, "nothing was begun");
    });
  }

  it("is not applied for an approval in another namespace, although that one names this Run and this plan", async () => {
    const run = world.aRun("network", 1, { rules });
    await held(run);
    say(run, {}, new Date(), "another-team");
    const second = await aWorker(run, "Apply");
    const answer = await second.ask("POST", "/v1/plan", aPlan());
    assert.deepEqual([answer.json.verdict, answer.json.reason], ["Refuse", "Superseded"]);
    assert.equal((await world.runStatus(run))?.applyStartedAt, undefined);
  });

  it("is not applied where it has expired before its second pod asks, although it was approved in time", async () => {
    await world.close();
    let laterMs = 0;
    const clock = { ...systemClock, now: () => new Date(Date.now() + laterMs) };
    world = await gatewayWorld({ judge: byRules, clock });
    const run = world.aRun("network", 1, { rules });
    await held(run);
    say(run);
    laterMs = 3_600_001;
    const second = await aWorker(run, "Apply");
    const answer = await second.ask("POST", "/v1/plan", aPlan());
    assert.deepEqual([answer.json.verdict, answer.json.reason], ["Refuse", "PlanExpired"]);
    assert.equal((await world.runStatus(run))?.applyStartedAt, undefined);
    assert.equal((await recordOf(run)).mayHoldObjects, false, "nothing was begun");
  });

  it("is not applied where somebody has called it off while the second pod started", async () => {
    const run = world.aRun("network", 1, { rules });
    await held(run);
    say(run);
    const second = await aWorker(run, "Apply");
    const annotations = { [ANNOTATIONS.superseded]: "changed: variable size" };
    await world.client.mergePatch(RUNS, NAMESPACE, run.metadata.name, { metadata: { annotations } });
    const answer = await second.ask("POST", "/v1/plan", aPlan());
    assert.deepEqual([answer.json.verdict, answer.json.reason], ["Refuse", "Superseded"]);
    assert.equal((await world.runStatus(run))?.applyStartedAt, undefined);
  });

  it("cannot be applied by a second pod where none is held", async () => {
    const run = world.aRun("network", 1, { rules });
    await aWorker(run, "Plan");
    const second = await aWorker(run, "Apply");
    assert.match(codeOf(second.claimed), /^4\d\d /);
  });

  it("is applied where it was granted, although the answer was lost and it would have to wait by now", async () => {
    await world.close();
    let closed = false;
    const granted: Verdict = { verdict: "Apply", reason: "NoApprovalNeeded", message: "nobody has to be asked" };
    const late: Verdict = { verdict: "Hold", reason: "WindowClosed", message: "no window is open" };
    const judge = () => (closed ? late : granted);
    world = await gatewayWorld({ judge });
    const first = await aWorker(world.aRun("network", 1), "Plan");
    await first.ask("PUT", "/v1/archive", Buffer.from("the archive"));
    assert.equal((await first.ask("POST", "/v1/plan", aPlan())).json.verdict, "Apply");
    closed = true;
    assert.equal((await first.ask("POST", "/v1/plan", aPlan())).json.verdict, "Apply");
  });

  for (const reason of ["Suspended", "WindowClosed", "ScheduleInvalid"]) {
    it(`is refused where it has to wait again when its second pod asks: ${reason}`, async () => {
      await world.close();
      const judge = () => ({ verdict: "Hold", reason, message: "not now" }) as const;
      world = await gatewayWorld({ judge });
      const run = world.aRun("network", 1);
      assert.equal((await held(run)).verdict.json.verdict, "Hold");
      const second = await aWorker(run, "Apply");
      const { json } = await second.ask("POST", "/v1/plan", aPlan());
      assert.deepEqual([json.verdict, json.reason], ["Refuse", reason]);
    });
  }

  it("that destroys and does nothing else is applied when the stricter rule is met, and not before", async () => {
    const stricter = { approval: { required: 0, expiresAfter: "1h", destroy: { required: 2 } } };
    const destroying = { counts: { create: 0, update: 0, replace: 0, delete: 1 } };
    const run = world.aRun("network", 1, { rules: stricter });
    const { verdict } = await held(run, destroying);
    assert.equal(verdict.json.verdict, "Hold");
    say(run);
    const second = await aWorker(run, "Apply");
    assert.equal((await second.ask("POST", "/v1/plan", aPlan(destroying))).json.verdict, "Refuse");
    say(run, { approver: "bob" });
    assert.equal((await second.ask("POST", "/v1/plan", aPlan(destroying))).json.verdict, "Apply");
  });

  it("is applied at once where the rules ask for nobody", async () => {
    const run = world.aRun("network", 1);
    const first = await aWorker(run, "Plan");
    await first.ask("PUT", "/v1/archive", Buffer.from("the archive"));
    assert.equal((await first.ask("POST", "/v1/plan", aPlan())).json.verdict, "Apply");
  });
});
