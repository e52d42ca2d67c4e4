import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { PODS, RUNS } from "../../../operator/cluster/resources.ts";
import { fence } from "../../../operator/storage/locking.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { aState } from "../storage/claimants.ts";
import { type GatewayWorld, gatewayWorld, NAMESPACE, type Reply } from "./gateway-world.ts";

let world: GatewayWorld;
beforeEach(async () => {
  world = await gatewayWorld();
});
afterEach(() => world.close());

const keyOf = ({ spec }: Run) => ({ namespace: NAMESPACE, environment: "shop", component: spec.component });
const recordOf = async (run: Run) => {
  const found = await world.store.record(keyOf(run));
  assert.ok(found);
  return found.value;
};
const codeOf = ({ status, json }: Reply) =>
  `${status} ${(json.error as { code?: string } | undefined)?.code ?? ""}`.trim();

const aPlan = (digest: string, empty = false) => ({
  digest,
  counts: { create: 1, update: 0, replace: 0, delete: 0 },
  empty,
  resources: [{ address: "terraform_data.vpc", action: "create" }],
  truncated: false,
  drifted: 0,
  inputsDigest: "i",
});
const outcomeOf = (result: string, facts: object = {}) => ({
  outcome: { result, reason: result, message: "as reported", ...facts },
});

/** A pod that has claimed its Run, and what it can ask. */
async function aWorker(run: Run) {
  const pod = world.aPod(run);
  const claimed = await world.claim(pod, run);
  assert.equal(claimed.status, 200, claimed.bytes.toString());
  const session = String(claimed.json.session);
  // Every other request goes to the other replica.
  let turn = 0;
  const ask = (method: string, path: string, body?: Buffer | object) => {
    turn += 1;
    return world.call(turn % 2 === 0 ? world.gateway : world.replica, method, path, session, body);
  };
  return { pod, order: claimed.json, session, ask };
}

async function applyAll(run: Run, state: Buffer) {
  const worker = await aWorker(run);
  const steps = [
    await worker.ask("PUT", "/v1/archive", Buffer.from(`archive of ${run.metadata.name}`)),
    await worker.ask("POST", "/v1/plan", aPlan("sha256:plan")),
    await worker.ask("PUT", "/v1/state/lock", { ID: "lock" }),
    await worker.ask("POST", "/v1/state?ID=lock", state),
    await worker.ask("DELETE", "/v1/state/lock?ID=lock"),
    await worker.ask("POST", "/v1/result", outcomeOf("Applied")),
  ];
  assert.deepEqual(
    steps.map(({ status }) => status),
    [204, 200, 200, 204, 204, 204],
  );
  return worker;
}

const VPC = {
  serial: 1,
  resources: ["vpc"],
  outputs: { id: { value: "vpc-1" }, key: { value: "hush", sensitive: true } },
};

describe("claiming a Run", () => {
  it("gives a work order to the pod that the operator made, and the same again after a restart", async () => {
    const run = world.aRun("network", 1);
    const worker = await aWorker(run);
    assert.deepEqual(worker.order.timeouts, { planMs: 900_000, applyMs: 3_600_000 });
    assert.equal(worker.order.stateExists, false);
    const again = await world.claim(worker.pod, run, world.replica);
    assert.deepEqual(again.json, worker.order);
  });

  it("tells which variables the module must declare, for an apply alone: what is destroyed was applied", async () => {
    const own = { ownVariables: ["size"] };
    const apply = await applyAll(world.aRun("network", 1, {}, own), aState(VPC));
    assert.deepEqual(apply.order.ownVariables, ["size"]);
    const destroy = await aWorker(world.aRun("network", 2, { operation: "Destroy" }, own));
    assert.equal(destroy.order.ownVariables, undefined);
  });

  it("is refused to everybody else", async () => {
    const run = world.aRun("network", 1);
    const forged = world.aPod(run, { order: "forged", suffix: "x" });
    const wrongPhase = world.aPod(run, { phase: "Apply", suffix: "a" });
    assert.equal(codeOf(await world.claim(forged, run)), "403 NotYourRun");
    assert.equal(codeOf(await world.claim(wrongPhase, run)), "403 NotYourRun");
    assert.equal(codeOf(await world.claim({ ...forged, token: "unknown" }, run)), "401 Unauthenticated");
    const pod = world.aPod(run);
    assert.equal(codeOf(await world.claim(pod, world.aRun("network", 2))), "403 NotYourRun");
    world.client.seed(PODS, { metadata: { name: pod.name, namespace: NAMESPACE, uid: "made anew" } });
    assert.equal(codeOf(await world.claim(pod, run)), "403 NotYourRun");
    assert.equal(await world.store.record(keyOf(run)), undefined);
  });

  it("is won by one of two pods that claim at once at different replicas", async () => {
    const run = world.aRun("network", 1);
    const [one, two] = [world.aPod(run), world.aPod(run, { suffix: "q" })];
    const answers = await Promise.all([world.claim(one, run), world.claim(two, run, world.replica)]);
    assert.deepEqual(answers.map(codeOf).sort(), ["200", "409 AlreadyClaimed"]);
  });

  it("is refused while another Environment owns the state", async () => {
    const run = world.aRun("network", 1);
    await ensureRecord(world.store, keyOf(run), "another-uid");
    assert.equal(codeOf(await world.claim(world.aPod(run), run)), "409 StateOwnedByOther");
  });
});

describe("an apply", () => {
  it("leaves state, archive, outputs and result in the store, and plan and outcome in the Run's status", async () => {
    const run = world.aRun("network", 1);
    await applyAll(run, aState(VPC));
    const record = await recordOf(run);
    assert.equal(record.state?.serial, 1);
    assert.equal(record.mayHoldObjects, true);
    assert.equal(record.attempted, undefined);
    assert.equal(record.applied?.desiredDigest, "sha256:desired-1");
    assert.deepEqual(
      record.applied?.outputs.map(({ name, sensitive }) => [name, sensitive]),
      [
        ["id", false],
        ["key", true],
      ],
    );
    assert.equal((await world.store.getBlob(record, record.applied.archive)).toString(), "archive of shop-network-1");
    const status = await world.runStatus(run);
    assert.equal(status?.plan?.digest, "sha256:plan");
    assert.ok(status?.applyStartedAt);
    const { result, stateSerial, resources, appliedDigest } = status?.outcome ?? {};
    assert.deepEqual([result, stateSerial, resources, appliedDigest], ["Applied", 1, 1, "sha256:desired-1"]);
  });

  it("is recorded before it is allowed: a death after that leaves what destroying needs", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await aWorker(run);
    assert.equal(codeOf(await ask("POST", "/v1/plan", aPlan("sha256:plan"))), "400 BadRequest");
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    assert.equal((await ask("POST", "/v1/plan", aPlan("sha256:plan"))).json.verdict, "Apply");
    assert.equal((await ask("POST", "/v1/plan", aPlan("sha256:plan"))).json.verdict, "Apply");
    assert.equal((await ask("POST", "/v1/plan", aPlan("sha256:other"))).json.verdict, "Refuse");
    const { claim, attempted, mayHoldObjects } = await recordOf(run);
    assert.deepEqual(
      [claim?.applying?.planDigest, attempted?.run, mayHoldObjects],
      ["sha256:plan", run.metadata.name, true],
    );
  });

  it("takes a result as often as it comes, and nothing after it", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await applyAll(run, aState(VPC));
    const before = await recordOf(run);
    assert.equal((await ask("POST", "/v1/result", outcomeOf("Failed"))).status, 204);
    assert.deepEqual(await recordOf(run), before);
    assert.equal(codeOf(await ask("PUT", "/v1/state/lock", { ID: "late" })), "409 Fenced");
    assert.equal(codeOf(await ask("POST", "/v1/state?ID=lock", aState({ serial: 9 }))), "409 Fenced");
  });

  it("that is empty keeps the state and moves the digest on", async () => {
    await applyAll(world.aRun("network", 1), aState(VPC));
    const run = world.aRun("network", 2);
    const { ask } = await aWorker(run);
    await ask("PUT", "/v1/archive", Buffer.from("second archive"));
    await ask("POST", "/v1/plan", aPlan("sha256:empty", true));
    assert.equal(codeOf(await ask("POST", "/v1/result", outcomeOf("Applied"))), "400 BadRequest");
    await ask("POST", "/v1/result", outcomeOf("Unchanged"));
    const { applied, state } = await recordOf(run);
    assert.deepEqual([applied?.desiredDigest, applied?.number, state?.serial], ["sha256:desired-2", 2, 1]);
  });

  it("of a revision that only the agent knew completes the digest with it", async () => {
    const git = { url: "https://git.example.com/a.git", interval: "5m" };
    const run = world.aRun("network", 1, {}, { source: { git } });
    const { ask } = await aWorker(run);
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/result", outcomeOf("Unchanged", { revision: "0123abcd" }));
    assert.equal((await recordOf(run)).applied?.desiredDigest, "sha256:inputs at 0123abcd");
  });

  it("keeps the login that its fetch used with the url that it opens, also where it failed", async () => {
    const url = "https://git.example.com/a.git";
    const run = world.aRun("network", 1, {}, { source: { git: { url, interval: "5m" } } });
    const { ask } = await aWorker(run);
    const login = { username: "robot", password: "a-word" };
    await ask("POST", "/v1/result", { ...outcomeOf("Failed"), sourceCredentials: login });
    const { sourceCredentials, lastResult } = await recordOf(run);
    assert.deepEqual(sourceCredentials, { ...login, url, at: lastResult?.at });
  });

  it("that fails tells what was created and is not in the state", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await aWorker(run);
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", aPlan("sha256:plan"));
    const at = "2030-01-01T00:00:00Z";
    const entries = [
      { at, event: "apply_complete", address: "terraform_data.vpc", action: "create", idValue: "vpc-1" },
    ];
    assert.equal((await ask("POST", "/v1/journal", { from: 0, entries })).status, 204);
    await ask("POST", "/v1/result", outcomeOf("Failed"));
    const left = (await world.runStatus(run))?.outcome?.journal?.leftovers;
    assert.deepEqual(left, [{ address: "terraform_data.vpc", id: "vpc-1" }]);
    assert.equal((await recordOf(run)).attempted?.run, run.metadata.name);
  });

  it("of five thousand resources is stored and read back byte for byte", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await aWorker(run);
    const resources = Array.from({ length: 5000 }, (_, at) => `r${at}`);
    const state = aState({ serial: 1, resources, padding: "x".repeat(400) });
    assert.ok(state.length > 2_000_000);
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    assert.equal((await ask("POST", "/v1/state?ID=lock", state)).status, 204);
    assert.ok((await ask("GET", "/v1/state")).bytes.equals(state));
  });
});

describe("outputs of other components", () => {
  const wired = (name: string) => ({
    variables: [{ name: "vpc", valueFrom: { output: { component: "network", name } } }],
  });

  it("come with the work order, by value", async () => {
    await applyAll(world.aRun("network", 1), aState(VPC));
    const { order } = await aWorker(world.aRun("database", 1, {}, wired("key")));
    assert.deepEqual(order.variables, [{ name: "vpc", kind: "value", value: "hush", sensitive: true }]);
  });

  it("that are missing end the Run with both names", async () => {
    await applyAll(world.aRun("network", 1), aState(VPC));
    const run = world.aRun("database", 1, {}, wired("subnets"));
    const pod = world.aPod(run);
    assert.equal(codeOf(await world.claim(pod, run)), "409 OutputMissing");
    const outcome = (await world.runStatus(run))?.outcome;
    assert.equal(outcome?.reason, "OutputMissing");
    assert.match(outcome?.message ?? "", /variable vpc: component network has no output subnets; it has id, key/);
    assert.equal(codeOf(await world.claim(pod, run)), "409 Fenced");
  });
});

describe("a destroy", () => {
  it("works from the archive of the newest attempt, and ends only when the state is empty", async () => {
    await applyAll(world.aRun("network", 1), aState(VPC));
    const run = world.aRun("network", 2, { operation: "Destroy" });
    const { order, ask } = await aWorker(run);
    assert.equal((order.source as { archive: { size: number } }).archive.size, "archive of shop-network-1".length);
    assert.equal((await ask("GET", "/v1/archive")).bytes.toString(), "archive of shop-network-1");
    await ask("POST", "/v1/plan", aPlan("sha256:destroy"));
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    assert.equal(codeOf(await ask("POST", "/v1/result", outcomeOf("Destroyed"))), "400 BadRequest");
    await ask("POST", "/v1/state?ID=lock", aState({ serial: 2 }));
    await ask("DELETE", "/v1/state/lock?ID=lock");
    assert.equal((await ask("POST", "/v1/result", outcomeOf("Destroyed"))).status, 204);
    const { applied, attempted, mayHoldObjects } = await recordOf(run);
    assert.deepEqual([applied, attempted, mayHoldObjects], [undefined, undefined, false]);
  });
});

describe("a state whose content was lost", () => {
  /** Somebody with all rights has taken the chunks away. */
  async function withoutContent(operation: "Apply" | "Destroy" = "Destroy") {
    await applyAll(world.aRun("network", 1), aState(VPC));
    const run = world.aRun("network", 2, { operation });
    const worker = await aWorker(run);
    const { state } = await recordOf(run);
    assert.ok(state);
    await world.store.deleteBlob({ storageId: "" }, state.blob);
    return { run, ...worker };
  }

  it("is refused to whoever works on it, as lost", async () => {
    const { ask } = await withoutContent();
    assert.equal(codeOf(await ask("GET", "/v1/state")), "409 StoreCorrupt");
  });

  it("ends a destroy as StateLost, whatever its pod says, and leaves what is known", async () => {
    const { run, ask } = await withoutContent();
    await ask("POST", "/v1/plan", aPlan("sha256:destroy"));
    assert.equal((await ask("POST", "/v1/result", outcomeOf("Destroyed"))).status, 204);
    const { applied, mayHoldObjects, state, lastResult } = await recordOf(run);
    assert.deepEqual(
      [lastResult?.outcome.result, lastResult?.outcome.reason, lastResult?.outcome.retry],
      ["Failed", "StateLost", "Never"],
    );
    assert.deepEqual([applied?.number, mayHoldObjects, state?.serial], [1, true, 1]);
  });

  it("does not make one forget that the apply was cut off: once it is restored, a person sees what is done next", async () => {
    const { run, ask } = await withoutContent("Apply");
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", aPlan("sha256:plan"));
    await ask("POST", "/v1/result", outcomeOf("Interrupted"));
    const { cutOff, lastResult } = await recordOf(run);
    assert.deepEqual([lastResult?.outcome.result, lastResult?.outcome.reason], ["Interrupted", "StateLost"]);
    assert.equal(cutOff?.run, run.metadata.name);
  });
});

describe("a Run that a person cancelled", () => {
  it("ends as cancelled in store and status alike, with what was done", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await aWorker(run);
    await ask("PUT", "/v1/archive", Buffer.from("archive"));
    await ask("POST", "/v1/plan", aPlan("sha256:plan"));
    await ask("PUT", "/v1/state/lock", { ID: "lock" });
    await ask("POST", "/v1/state?ID=lock", aState(VPC));
    await ask("DELETE", "/v1/state/lock?ID=lock");
    const at = "2030-01-01T00:00:00Z";
    const entries = [{ at, event: "apply_complete", address: "terraform_data.vpc", action: "create" }];
    await ask("POST", "/v1/journal", { from: 0, entries });
    const status = { cancelRequestedAt: at };
    await world.client.mergePatch(RUNS, run.metadata.namespace, run.metadata.name, { status });
    await ask("POST", "/v1/result", outcomeOf("Failed", { reason: "ApplyFailed", retry: "Backoff" }));
    const told = (await world.runStatus(run))?.outcome;
    assert.deepEqual([told?.result, told?.reason], ["Cancelled", "Cancelled"]);
    assert.match(told?.message ?? "", /1 of 1 changes were done, and the state is saved \(serial 1, 1 resources\)/);
    const { lastResult, attempted } = await recordOf(run);
    assert.equal(lastResult?.outcome.result, "Cancelled");
    assert.equal(attempted?.run, run.metadata.name, "what a destroy needs is kept");
  });
});

describe("a destroy whose record was lost", () => {
  it("is refused, and no empty record takes its place", async () => {
    const run = world.aRun("network", 2, { operation: "Destroy" });
    assert.equal(codeOf(await world.claim(world.aPod(run), run)), "404 NotFound");
    assert.equal(await world.store.record(keyOf(run)), undefined);
  });
});

describe("the gateway under trouble", () => {
  it("answers 503 while the store is away, and loses nothing", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await aWorker(run);
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
      const record = await recordOf(run);
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
    await applyAll(second, aState({ serial: 3, resources: ["vpc"] }));
    const record = await recordOf(second);
    assert.deepEqual([record.applied?.number, (record as { future?: object }).future], [2, future]);
  });

  it("refuses a Run that was fenced, at every replica, and gives the lock to the next one", async () => {
    const run = world.aRun("network", 1);
    const { ask } = await aWorker(run);
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
    await applyAll(world.aRun("network", 1), aState(VPC));
    await world.call(world.gateway, "POST", "/v1/result", "nonsense", { password: "hush" });
    const log = world.lines.join("\n");
    assert.match(log, /"path":"\/v1\/state"/);
    for (const secret of ["hush", "Bearer", "token-of", "eyJ"]) assert.ok(!log.includes(secret), secret);
  });

  it("takes forged and malformed sessions for what they are", async () => {
    const { session } = await aWorker(world.aRun("network", 1));
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
    const { ask } = await aWorker(world.aRun("network", 1));
    assert.equal(codeOf(await ask("POST", "/v1/plan", Buffer.alloc(5 * 1024 * 1024))), "413 TooLarge");
    assert.equal(codeOf(await ask("POST", "/v1/plan", { digest: 1 })), "400 BadRequest");
    assert.equal(codeOf(await ask("POST", "/v1/plan", Buffer.from("{"))), "400 BadRequest");
    assert.equal(codeOf(await ask("GET", "/v1/nothing")), "404 NotFound");
  });
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
