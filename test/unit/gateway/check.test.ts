import assert from "node:assert/strict";
import { digestOfIgnore } from "../../../operator/api/drift.ts";
import type { Run, RunSpec } from "../../../operator/api/run.ts";
import type { Pod } from "../../../operator/cluster/kinds.ts";
import { PODS, RUNS } from "../../../operator/cluster/resources.ts";
import type { Known } from "../../../operator/gateway/known.ts";
import { changeRecord } from "../../../operator/storage/change.ts";
import { createKeyRing, newKeyMaterial } from "../../../operator/storage/key-ring.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { rememberingBlobs } from "../../../operator/storage/remembered-blobs.ts";
import { createSecretStore } from "../../../operator/storage/secret-store.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { aState } from "../storage/claimants.ts";
import { codeOf, type GatewayWorld, gatewayWorld, NAMESPACE, OPERATOR_NAMESPACE } from "./gateway-world.ts";

const key = { namespace: NAMESPACE, environment: "shop", component: "network" };
const checkFacts: Partial<RunSpec> = {
  operation: "Check",
  cause: { type: "Drift" },
  drift: { ignore: [{ attributes: ["tags"] }] },
};

const aPlan = (resources: readonly string[] = [], action = "update") => ({
  digest: "sha256:plan",
  counts: { create: 0, update: resources.length, replace: 0, delete: 0 },
  empty: resources.length === 0,
  resources: resources.map((address) => ({ address, action })),
  truncated: false,
  drifted: 0,
  inputsDigest: "i",
});
const unchanged = (stateSerial = 1) => ({
  outcome: { result: "Unchanged", reason: "NoDrift", message: "all is there", stateSerial },
  plan: aPlan(),
});
const drifted = (addresses: readonly string[], stateSerial = 1) => ({
  outcome: { result: "Drifted", reason: "DriftFound", message: addresses.join(), stateSerial },
  plan: aPlan(addresses),
});

let world: GatewayWorld;
let known: { pods: boolean; record: ComponentRecord | undefined };

beforeEach(async () => {
  known = { pods: false, record: undefined };
  const client = fakeKubeClient();
  const ring = createKeyRing(newKeyMaterial());
  const find = <T>(resource: typeof PODS, namespace: string, name: string) =>
    client.objects(resource).find(({ metadata }) => metadata.namespace === namespace && metadata.name === name) as
      | T
      | undefined;
  const heard: Known = {
    pod: (namespace, name) => (known.pods ? find<Pod>(PODS, namespace, name) : undefined),
    run: (namespace, name) => (known.pods ? find<Run>(RUNS, namespace, name) : undefined),
    record: () => known.record,
  };
  const store = rememberingBlobs(createSecretStore({ client, namespace: OPERATOR_NAMESPACE, ring }));
  world = await gatewayWorld({ client, ring, store, known: heard });
});
afterEach(() => world.close());

const recordOf = async () => {
  const found = await world.store.record(key);
  assert.ok(found);
  return found.value;
};

async function asking(run: Run) {
  const pod = world.aPod(run);
  const claimed = await world.claim(pod, run);
  const session = String(claimed.json.session);
  const ask = (method: string, path: string, body?: Buffer | object) =>
    world.call(world.gateway, method, path, session, body);
  return { claimed, ask };
}

/** Run 1 has applied, and has told so. */
async function applied() {
  const { ask } = await asking(world.aRun("network", 1));
  await ask("PUT", "/v1/archive", Buffer.from("the archive"));
  await ask("POST", "/v1/plan", { ...aPlan(["a"], "create"), empty: false });
  await ask("PUT", "/v1/state/lock", { ID: "lock" });
  await ask("POST", "/v1/state?ID=lock", aState({ serial: 1, resources: ["vpc"] }));
  await ask("DELETE", "/v1/state/lock?ID=lock");
  const end = await ask("POST", "/v1/result", { outcome: { result: "Applied", reason: "Applied", message: "" } });
  assert.equal(end.status, 204, end.bytes.toString());
}

const aCheck = (number: number) => world.aRun("network", number, checkFacts);

describe("a Check at the gateway", () => {
  beforeEach(applied);

  it("is given the archive of what was applied, the state, and what to ignore", async () => {
    const { claimed, ask } = await asking(aCheck(2));
    assert.equal(claimed.status, 200, claimed.bytes.toString());
    assert.equal(claimed.json.operation, "Check");
    assert.deepEqual(Object.keys(claimed.json.source as object), ["archive"]);
    assert.deepEqual(claimed.json.ignore, [{ attributes: ["tags"] }]);
    assert.equal((await ask("GET", "/v1/archive")).bytes.toString(), "the archive");
    assert.equal((await ask("GET", "/v1/state")).json.serial, 1);
  });

  it("may change nothing: not the state, not the lock, not the archive, no journal, no plan to apply", async () => {
    const before = await recordOf();
    const { ask } = await asking(aCheck(2));
    const refused = [
      await ask("PUT", "/v1/state/lock", { ID: "mine" }),
      await ask("POST", "/v1/state?ID=mine", aState({ serial: 9 })),
      await ask("DELETE", "/v1/state/lock?ID=mine"),
      await ask("PUT", "/v1/archive", Buffer.from("another")),
      await ask("PUT", "/v1/recovery", aState({ serial: 9 })),
      await ask("POST", "/v1/plan", { ...aPlan(["a"]), empty: false }),
      await ask("POST", "/v1/journal", {
        from: 0,
        entries: [{ at: "2030-01-01T00:00:00Z", event: "apply_start", address: "a", action: "create" }],
      }),
    ];
    assert.deepEqual(new Set(refused.map(codeOf)), new Set(["409 Fenced"]));
    assert.deepEqual(await recordOf(), before);
  });

  it("closes its Run with all that is to be said of it, and records nothing where nothing differs", async () => {
    const before = await recordOf();
    const run = aCheck(2);
    const { ask } = await asking(run);
    assert.equal((await ask("POST", "/v1/result", unchanged())).status, 204);
    assert.deepEqual(await recordOf(), before);
    const status = await world.runStatus(run);
    assert.equal(status?.phase, "Succeeded");
    assert.equal(status?.plan?.verdict, "Noted");
    assert.equal(status?.outcome?.result, "Unchanged");
    assert.equal(status?.conditions?.[0]?.reason, "NoDrift");
    assert.ok(status?.finishedAt !== undefined && status.plannedAt !== undefined);
  });

  it("records what differs, and takes it back when it is gone", async () => {
    const addresses = Array.from({ length: 12 }, (_, at) => `thing.r${at}`);
    await (await asking(aCheck(2))).ask("POST", "/v1/result", drifted(addresses));
    const { drift } = await recordOf();
    assert.deepEqual(drift?.addresses, addresses.slice(0, 10));
    assert.equal(drift?.run, "shop-network-2");
    await (await asking(aCheck(3))).ask("POST", "/v1/result", unchanged());
    assert.equal((await recordOf()).drift, undefined);
  });

  it("records what differs anew where it is another difference, which only the agent's digest tells", async () => {
    const look = async (number: number, driftDigest?: string) => {
      const said = driftDigest === undefined ? {} : { driftDigest };
      await (await asking(aCheck(number))).ask("POST", "/v1/result", { ...drifted(["thing.a"]), ...said });
      return (await recordOf()).drift?.number;
    };
    const looks = [await look(2, "sha256:tags"), await look(3, "sha256:tags"), await look(4, "sha256:size")];
    assert.deepEqual(looks, [2, 2, 4]);
    assert.deepEqual([await look(5), await look(6)], [5, 5], "an older agent tells no digest");
  });

  it("is forgotten with the next apply", async () => {
    await (await asking(aCheck(2))).ask("POST", "/v1/result", drifted(["a"]));
    const { ask } = await asking(world.aRun("network", 3));
    await ask("PUT", "/v1/archive", Buffer.from("the archive"));
    await ask("POST", "/v1/result", { outcome: { result: "Unchanged", reason: "Unchanged", message: "" } });
    assert.equal((await recordOf()).drift, undefined);
  });

  it("says nothing about what has changed since it looked", async () => {
    const run = aCheck(2);
    const { ask } = await asking(run);
    assert.equal((await asking(world.aRun("network", 3))).claimed.status, 200, "nobody waits for a Check");
    assert.equal((await ask("POST", "/v1/result", drifted(["a"]))).status, 204);
    assert.equal((await recordOf()).drift, undefined);
    assert.deepEqual((await world.runStatus(run))?.outcome?.reason, "Superseded");
  });

  it("says nothing about another version of the state", async () => {
    const run = aCheck(2);
    await (await asking(run)).ask("POST", "/v1/result", drifted(["a"], 7));
    assert.equal((await recordOf()).drift, undefined);
    assert.equal((await world.runStatus(run))?.phase, "Cancelled");
  });

  describe("reads nothing any more", () => {
    const mustReadNothing = async ({ ask }: Awaited<ReturnType<typeof asking>>, expected: string) => {
      for (const path of ["/v1/state", "/v1/archive"]) assert.equal(codeOf(await ask("GET", path)), expected, path);
    };

    for (const told of [true, false])
      it(`once it has ended, or its Run is gone or is another, where the watches have told ${told ? "of it" : "nothing"}`, async () => {
        known = { pods: told, record: told ? await recordOf() : undefined };
        const run = aCheck(2);
        const check = await asking(run);
        assert.equal((await check.ask("GET", "/v1/state")).status, 200);
        await check.ask("POST", "/v1/result", unchanged());
        await mustReadNothing(check, "409 Fenced");
        const another = aCheck(2);
        world.client.seed(RUNS, { ...another, metadata: { ...another.metadata, uid: "made anew" } });
        await mustReadNothing(check, "409 Fenced");
        await world.client.delete(RUNS, NAMESPACE, run.metadata.name);
        await mustReadNothing(check, "409 Fenced");
      });

    it("once the state has another owner, or none", async () => {
      const check = await asking(aCheck(2));
      const change = (facts: Partial<ComponentRecord>) =>
        changeRecord(world.store, key, (record) => ({ next: { ...record, ...facts }, answer: undefined }));
      await change({ ownership: "Released" });
      await mustReadNothing(check, "403 NotYourRun");
      await change({ ownership: "Owned", owner: { environmentUid: "another" } });
      await mustReadNothing(check, "403 NotYourRun");
      await change({ owner: { environmentUid: "env-uid" } });
      assert.equal((await check.ask("GET", "/v1/state")).status, 200);
    });
  });

  it("is not begun where there is nothing to check any more", async () => {
    await asking(world.aRun("network", 3));
    const run = aCheck(2);
    assert.equal(codeOf((await asking(run)).claimed), "409 Fenced");
    assert.equal((await world.runStatus(run))?.outcome?.reason, "Superseded");
  });

  it("records what it was to ignore, also where the same is found again", async () => {
    const drift = async (number: number, rules: Partial<RunSpec>) => {
      const run = world.aRun("network", number, { ...checkFacts, ...rules });
      const { ask } = await asking(run);
      assert.equal((await ask("POST", "/v1/result", drifted(["a"]))).status, 204);
      return (await recordOf()).drift;
    };
    const ignore = [{ address: "thing.b" }];
    const first = await drift(2, {});
    assert.equal(first?.ignoreDigest, digestOfIgnore(checkFacts.drift?.ignore));
    known.pods = true;
    assert.deepEqual(await drift(3, { drift: { ignore } }), { ...first, ignoreDigest: digestOfIgnore(ignore) });
  });

  it("records its finding also where its Run is gone meanwhile", async () => {
    const run = aCheck(2);
    const { ask } = await asking(run);
    await world.client.delete(RUNS, NAMESPACE, run.metadata.name);
    assert.equal((await ask("POST", "/v1/result", drifted(["a"]))).status, 204);
    const { drift } = await recordOf();
    assert.deepEqual([drift?.addresses, drift?.ignoreDigest], [["a"], undefined]);
  });

  it("fails without a trace in the record", async () => {
    const before = await recordOf();
    const run = aCheck(2);
    await (await asking(run)).ask("POST", "/v1/result", {
      outcome: { result: "Failed", reason: "PlanFailed", message: "no" },
    });
    assert.deepEqual(await recordOf(), before);
    assert.equal((await world.runStatus(run))?.phase, "Failed");
  });

  it("cannot end as anything that changes something", async () => {
    const { ask } = await asking(aCheck(2));
    for (const result of ["Applied", "Destroyed", "Interrupted"])
      assert.equal(
        codeOf(await ask("POST", "/v1/result", { outcome: { result, reason: result, message: "" } })),
        "400 BadRequest",
      );
  });

  it("does not end another kind of Run as drifted", async () => {
    const { ask } = await asking(world.aRun("network", 2));
    assert.equal(codeOf(await ask("POST", "/v1/result", drifted(["a"]))), "400 BadRequest");
  });
});

describe("what a Check costs", () => {
  beforeEach(applied);

  /** Requests to the API server from the claim to the result. */
  async function requestsOf(number: number, end: object): Promise<readonly string[]> {
    const run = aCheck(number);
    const pod = world.aPod(run);
    const { calls } = world.client;
    const before = calls.length;
    const claimed = await world.claim(pod, run);
    const session = String(claimed.json.session);
    for (const path of ["/v1/archive", "/v1/state"])
      assert.equal((await world.call(world.gateway, "GET", path, session)).status, 200);
    assert.equal((await world.call(world.gateway, "POST", "/v1/result", session, end)).status, 204);
    return calls.slice(before).map((call) => call.replace(/ [^ ]*$/, ""));
  }

  it("is a review of its token and the end of its Run, where the watches have told the rest", async () => {
    known = { pods: true, record: await recordOf() };
    assert.deepEqual(await requestsOf(2, unchanged()), ["reviewToken tokenreviews", "patch runs"]);
  });

  it("is a read and a write of the record more where something was found", async () => {
    known = { pods: true, record: await recordOf() };
    assert.deepEqual(await requestsOf(2, drifted(["a"])), [
      "reviewToken tokenreviews",
      "get secrets",
      "replace secrets",
      "patch runs",
    ]);
  });

  it("works all the same where they have told nothing, or something old", async () => {
    const old = await recordOf();
    await requestsOf(2, drifted(["a"]));
    known = { pods: true, record: old };
    await requestsOf(3, drifted(["a", "b"]));
    assert.deepEqual((await recordOf()).drift?.addresses, ["a", "b"]);
  });
});
