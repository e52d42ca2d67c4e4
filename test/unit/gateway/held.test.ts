import assert from "node:assert/strict";
import { endRun } from "../../../operator/storage/run-end.ts";
import { type ApprovalWorld, aPlan, approvalWorld, DIGEST, rules } from "./approval-world.ts";
import { codeOf, NAMESPACE } from "./gateway-world.ts";

describe("a plan that needs approval", () => {
  let world: ApprovalWorld;
  beforeEach(async () => {
    world = await approvalWorld();
  });
  afterEach(() => world.close());

  it("is held: its bundle is stored, its pod is fenced, and the Run says since when", async () => {
    const run = world.aRun("network", 1, { rules });
    const { first, verdict, bundled } = await world.held(run);
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
    await world.held(run, { sourceCredentials: login, revision: "0123abcd" });
    const { sourceCredentials, held: waiting } = await world.recordOf(run);
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
    await world.held(run);
    const second = await world.aWorker(run, "Apply");
    assert.equal((second.order.held as { digest: string }).digest, DIGEST);
    assert.ok("archive" in (second.order.source as object));
    assert.equal((await second.ask("GET", "/v1/plan/bundle")).bytes.toString(), "the bundle");
    assert.equal((await second.ask("GET", "/v1/archive")).bytes.toString(), "the archive");
  });

  it("is given to a second pod with the ConfigMap that its module came from, which may hold another one by now", async () => {
    const run = world.aRun("network", 1, { rules }, { source: { configMap: { name: "modules" } } });
    const { first } = await world.held(run);
    const second = await world.aWorker(run, "Apply");
    assert.deepEqual([first.order.sourceConfigMap, second.order.sourceConfigMap], ["modules", "modules"]);
  });

  it("is not called corrupt where the Run was ended while its bundle was read: it is told that it was", async () => {
    const run = world.aRun("network", 1, { rules });
    await world.held(run);
    const second = await world.aWorker(run, "Apply");
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
    await world.held(run);
    world.say(run);
    const bundle = (await world.recordOf(run)).held?.bundle ?? assert.fail();
    await world.store.deleteBlob({ storageId: "" }, bundle);
    const second = await world.aWorker(run, "Apply");
    assert.equal(codeOf(await second.ask("GET", "/v1/plan/bundle")), "409 StoreCorrupt");
    const outcome = { result: "Failed", reason: "PlanFailed", message: "a chunk is missing" };
    assert.equal((await second.ask("POST", "/v1/result", { outcome })).status, 204);
    const { held: waiting, applied, attempted, mayHoldObjects } = await world.recordOf(run);
    assert.deepEqual([waiting, applied, attempted, mayHoldObjects], [undefined, undefined, undefined, false]);
  });

  it("cannot be applied by a second pod where none is held", async () => {
    const run = world.aRun("network", 1, { rules });
    await world.aWorker(run, "Plan");
    const second = await world.aWorker(run, "Apply");
    assert.match(codeOf(second.claimed), /^4\d\d /);
  });
});
