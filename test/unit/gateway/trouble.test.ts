import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { fence } from "../../../operator/storage/locking.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { aState } from "../storage/claimants.ts";
import { type ApplyingWorld, aPlan, applyingWorld, outcomeOf, VPC } from "./applying-world.ts";
import { codeOf, keyOf, type Reply, untilApplying } from "./gateway-world.ts";

describe("the gateway under trouble", () => {
  let world: ApplyingWorld;
  beforeEach(async () => {
    world = await applyingWorld();
  });
  afterEach(() => world.close());

  it("answers 503 while the store is away, and loses nothing", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await world.aWorker(run);
    await untilApplying(ask);
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    world.client.faults.before = (_verb, resource) => {
      if (resource === "secrets") throw new DOMException("too late", "TimeoutError");
    };
    assert.equal(codeOf(await ask("POST", "/v1/state?ID=lock", aState({ serial: 1 }))), "503 StoreUnavailable");
    world.client.faults = {};
    assert.equal((await ask("POST", "/v1/state?ID=lock", aState({ serial: 1 }))).status, 204);
  });

  it("survives being killed at any write of a whole apply: repeating the request gives the same end", async () => {
    for (let nth = 1; nth <= 40; nth += 1) {
      const run = world.aRun(`c${nth}`, 1);
      let writes = 0;
      let lost = false;
      world.client.faults.after = (verb) => {
        if (verb === "get" || verb === "list" || verb === "reviewToken") return;
        writes += 1;
        if (writes === nth) {
          lost = true;
          throw new DOMException("the answer was lost", "TimeoutError");
        }
      };
      await applyPatiently(run);
      world.client.faults = {};
      const record = await world.recordOf(run);
      assert.deepEqual(
        [record.state?.serial, record.applied?.number, record.lock],
        [2, 1, undefined],
        `cut at write ${nth}`,
      );
      assert.equal((await world.runStatus(run))?.outcome?.result, "Applied");
      if (!lost) return;
    }
    assert.fail("forty writes were not enough to get to the end");
  });

  it("keeps what a newer version has put into a record: whoever goes back to this one loses nothing", async () => {
    const first = world.aRun("network", 1);
    await applyPatiently(first);
    const { value, version } = (await world.store.record(keyOf(first))) ?? assert.fail("there is a record");
    const future = { kept: ["as", "it", "is"] };
    await world.store.updateRecord({ ...value, future } as ComponentRecord, version);
    const second = world.aRun("network", 2);
    await world.applyAll(second, aState({ serial: 3, resources: ["vpc"] }));
    const record = await world.recordOf(second);
    assert.deepEqual([record.applied?.number, (record as { future?: object }).future], [2, future]);
  });

  it("refuses a Run that was fenced, at every replica, and gives the lock to the next one", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await world.aWorker(run);
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    const next = world.aRun("network", 2);
    const nextPod = world.aPod(next);
    assert.equal(codeOf(await world.claim(nextPod, next)), "423 Locked");
    await fence(
      world.store,
      keyOf(run),
      { name: run.metadata.name, uid: run.metadata.uid, number: 1 },
      "dead",
      new Date(),
    );
    assert.equal(codeOf(await ask("POST", "/v1/state?ID=lock", aState({ serial: 1 }))), "409 Fenced");
    assert.equal(codeOf(await ask("POST", "/v1/state?ID=lock", aState({ serial: 1 }))), "409 Fenced");
    assert.equal((await world.claim(nextPod, next)).status, 200);
  });

  it("writes no secret and no token into its log", async () => {
    await world.applyAll(world.aRun("network", 1), aState(VPC));
    await world.call(world.gateway, "POST", "/v1/result", "nonsense", { password: "hush" });
    const log = world.lines.join("\n");
    assert.match(log, /"path":"\/v1\/state"/);
    for (const secret of ["hush", "Bearer", "eyJ"]) assert.ok(!log.includes(secret), secret);
  });

  it("takes forged and malformed sessions for what they are", async () => {
    const { session } = await world.aWorker(world.aRun("network", 1));
    const [payload = "", signature = ""] = session.split(".");
    for (const bad of ["", ".", "a.b", `${payload}.`, `${payload}.${signature}x`, `${payload}x.${signature}`]) {
      assert.equal(codeOf(await world.call(world.gateway, "GET", "/v1/state", bad)), "401 Unauthenticated");
    }
  });

  it("does not wait for the body of somebody who has no session", async () => {
    const refused = world.call(
      world.gateway,
      "POST",
      "/v1/state?ID=x",
      "forged.session",
      Buffer.alloc(64 * 1024 * 1024),
    );
    const answer = await refused.then(codeOf, (error: NodeJS.ErrnoException) => error.code);
    assert.ok(["401 Unauthenticated", "EPIPE", "ECONNRESET"].includes(String(answer)), answer);
  });

  it("refuses bodies that are too large or not what was expected", async () => {
    const { ask } = await world.aWorker(world.aRun("network", 1));
    assert.equal(codeOf(await ask("POST", "/v1/plan", Buffer.alloc(5 * 1024 * 1024))), "413 TooLarge");
    assert.equal(codeOf(await ask("POST", "/v1/plan", { digest: 1 })), "400 BadRequest");
    assert.equal(codeOf(await ask("POST", "/v1/plan", Buffer.from("{"))), "400 BadRequest");
    assert.equal(codeOf(await ask("GET", "/v1/nothing")), "404 NotFound");
  });

  /** As the agent does it: what was not answered is sent again. */
  async function applyPatiently(run: Run): Promise<void> {
    const pod = world.aPod(run);
    const patiently = async (attempt: () => Promise<Reply>): Promise<Reply> => {
      for (let tries = 0; tries < 5; tries += 1) {
        const reply = await attempt();
        if (reply.status < 500) return reply;
      }
      return assert.fail("the gateway did not come back");
    };
    const { json } = await patiently(() => world.claim(pod, run));
    const ask = async (method: string, path: string, body?: Buffer | object) => {
      const reply = await patiently(() => world.call(world.replica, method, path, String(json.session), body));
      assert.ok(reply.status < 300, `${method} ${path}: ${reply.bytes}`);
    };
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", aPlan("sha256:plan"));
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    for (const serial of [1, 2]) await ask("POST", "/v1/state?ID=lock", aState({ serial, resources: ["vpc"] }));
    await ask("DELETE", "/v1/state/lock?ID=lock");
    await ask("POST", "/v1/result", outcomeOf("Applied"));
  }
});
