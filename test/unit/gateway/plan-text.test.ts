import assert from "node:assert/strict";
import type { ConfigMap } from "../../../operator/cluster/kinds.ts";
import { CONFIG_MAPS, RUNS } from "../../../operator/cluster/resources.ts";
import { fence } from "../../../operator/storage/locking.ts";
import { type GatewayWorld, gatewayWorld, NAMESPACE } from "./gateway-world.ts";

const COUNTS = { create: 1, update: 0, replace: 0, delete: 1 };

describe("the readable plan", () => {
  let world: GatewayWorld;
  let told: string[];
  beforeEach(async () => {
    told = [];
    world = await gatewayWorld({ tell: ({ kind, name }, reason) => told.push(`${kind} ${name}: ${reason}`) });
  });
  afterEach(() => world.close());

  async function aWorker() {
    const run = world.aRun("network", 1);
    const claimed = await world.claim(world.aPod(run), run);
    const put = (text: Buffer) => world.call(world.gateway, "PUT", "/v1/plan/text", String(claimed.json.session), text);
    return { run, put };
  }
  const found = (name: string) => world.client.find<ConfigMap>(CONFIG_MAPS, NAMESPACE, name);

  it("is kept in a ConfigMap of the Run, labelled as ours", async () => {
    const { run, put } = await aWorker();
    assert.equal((await put(Buffer.from("Plan: 1 to create\n"))).status, 204);
    const kept = await found("shop-network-1-plan");
    assert.deepEqual(kept?.data, { "plan.txt": "Plan: 1 to create\n" });
    assert.equal(kept?.immutable, true);
    assert.equal(kept?.metadata.labels?.["terrarium.dev/plan-of"], "shop-network-1");
    assert.deepEqual(kept?.metadata.ownerReferences, [
      { apiVersion: "terrarium.dev/v1alpha1", kind: "Run", name: "shop-network-1", uid: run.metadata.uid },
    ]);
  });

  it("may be sent again", async () => {
    const { put } = await aWorker();
    const text = Buffer.from("Plan: 1 to create\n");
    assert.deepEqual([(await put(text)).status, (await put(text)).status], [204, 204]);
  });

  it("is not written over another one, nor where Kubernetes refuses it, and the pod is told why", async () => {
    const { put } = await aWorker();
    await put(Buffer.from("Plan: 1 to create\n"));
    const answer = await put(Buffer.from("Plan: 2 to create\n"));
    assert.equal(answer.status, 400);
    assert.match(JSON.stringify(answer.json), /the ConfigMap shop-network-1-plan could not be written/);
  });

  it("that cannot be kept is told as an event and beside what was decided: nobody takes what is there for it", async () => {
    const { run, put } = await aWorker();
    const plan = { digest: "sha256:0", counts: COUNTS, resources: [], verdict: "Hold", why: "it destroys a bucket" };
    await world.client.mergePatch(RUNS, NAMESPACE, run.metadata.name, { status: { plan } });
    await put(Buffer.from("Plan: 1 to create\n"));
    assert.deepEqual(told, []);
    for (const _again of [1, 2]) await put(Buffer.from("Plan: 2 to create\n"));
    assert.deepEqual(new Set(told), new Set(["Run shop-network-1: PlanTextRefused"]));
    const why = (await world.runStatus(run))?.plan?.why ?? "";
    assert.match(
      why,
      /^it destroys a bucket; the text of the plan is not kept, so none is the operator's: the ConfigMap/,
    );
    assert.equal(why.split("is not kept").length, 2);
  });

  it("is refused when it is too long, or no text", async () => {
    const { put } = await aWorker();
    assert.equal((await put(Buffer.alloc(300 * 1024, "x"))).status, 413);
    assert.equal((await put(Buffer.from([0xff, 0xfe]))).status, 400);
    assert.equal(await found("shop-network-1-plan"), undefined);
  });

  it("is not taken from a pod whose Run has ended", async () => {
    const { run, put } = await aWorker();
    const key = { namespace: NAMESPACE, environment: "shop", component: "network" };
    const { name, uid } = run.metadata;
    await fence(world.store, key, { name, uid, number: 1 }, "dead", new Date());
    assert.equal((await put(Buffer.from("late"))).status, 409);
    assert.equal(await found("shop-network-1-plan"), undefined);
  });
});
