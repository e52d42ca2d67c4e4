import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { KubeObject } from "../../../operator/cluster/ports.ts";
import { ENVIRONMENTS, RUNS } from "../../../operator/cluster/resources.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { aShopRun, at, shop } from "./shop.ts";
import { applied, working, world } from "./shop-runs.ts";

const specOf = (object: KubeObject | undefined) => (object as { spec?: Record<string, unknown> } | undefined)?.spec;

describe("what people say with kubectl terrarium", () => {
  it("run asks for a Run, and says when nothing will come of it", async () => {
    const { call, client } = world({ environments: [shop({}, { suspend: true })] });
    const { code, err } = await call("run", "shop");
    assert.equal(code, EXIT.done);
    assert.match(err, /nothing starts before: kubectl terrarium resume shop -n team/);
    const [environment] = client.objects(ENVIRONMENTS);
    assert.equal(environment?.metadata.annotations?.[ANNOTATIONS.requestedAt], at(20));
  });

  it("run says so where nothing but the destroy goes on", async () => {
    const { metadata, ...rest } = shop();
    const deleted = { ...rest, metadata: { ...metadata, deletionTimestamp: at(10), finalizers: ["x/y"] } };
    const { err } = await world({ environments: [deleted] }).call("run", "shop");
    assert.match(err, /^shop is being deleted: nothing is applied any more/);
  });

  for (const reason of ["", "  "]) {
    it(`run does not take "${reason}" for a reason: that would override nothing`, async () => {
      const { call, client } = world();
      const { code, err } = await call("run", "shop", "--override-windows", reason);
      assert.equal(code, EXIT.usage);
      assert.match(err, /^--override-windows needs a reason/);
      assert.deepEqual(client.objects(ENVIRONMENTS)[0]?.metadata.annotations, undefined);
    });
  }

  it("run overrides windows with a reason, for an emergency", async () => {
    const { call, client } = world();
    await call("run", "shop", "--override-windows", "the shop is down");
    const annotations = client.objects(ENVIRONMENTS)[0]?.metadata.annotations;
    assert.equal(annotations?.[ANNOTATIONS.windowOverride], "the shop is down");
    assert.equal(annotations?.[ANNOTATIONS.requestedAt], at(20));
  });

  it("suspend and resume change the spec once", async () => {
    const { call, client } = world();
    assert.match((await call("suspend", "shop")).out, /^shop is suspended\. Go on with: /);
    assert.equal(specOf(client.objects(ENVIRONMENTS)[0])?.suspend, true);
    assert.equal((await call("suspend", "shop")).out, "shop was suspended already.");
    assert.equal((await call("resume", "shop")).out, "shop goes on.");
    assert.equal(specOf(client.objects(ENVIRONMENTS)[0])?.suspend, false);
    assert.equal(client.calls.filter((call) => call.startsWith("patch")).length, 2);
  });

  const deadOf = (objects: readonly KubeObject[]) => objects[0]?.metadata.annotations?.[ANNOTATIONS.confirmDead];

  it("unlock warns, and does nothing without the name of the Run", async () => {
    const { call, client } = world({ runs: [working], answers: ["yes"] });
    const { code, err } = await call("unlock", "shop-database-2");
    assert.equal(code, EXIT.usage);
    assert.match(err, /two engines then change the same things/);
    assert.match(err, /Nothing was done\.$/);
    assert.equal(deadOf(client.objects(RUNS)), undefined);
  });

  it("unlock states the death when the name is repeated, or with --yes", async () => {
    for (const options of [{ answers: ["shop-database-2"] }, {}]) {
      const { call, client } = world({ runs: [working], ...options });
      const { code } = await call("unlock", "shop-database-2", ...(options.answers ? [] : ["--yes"]));
      assert.equal(code, EXIT.done);
      assert.equal(deadOf(client.objects(RUNS)), "u2");
    }
  });

  it("unlock is about the pod whose death is in question, or about the last one of the Run", async () => {
    const pods = ["p", "a"].map((suffix) => ({ name: `shop-database-2-${suffix}`, uid: suffix, createdAt: at(2) }));
    for (const [asked, uid] of [
      [{}, "a"],
      [{ unprovenPod: "unrecorded" }, "unrecorded"],
    ] as const) {
      const run = aShopRun("database", 2, { observedGeneration: 1, phase: "Applying", pods, ...asked });
      const { call, client } = world({ runs: [run] });
      const { err } = await call("unlock", "shop-database-2", "--yes");
      assert.match(err, new RegExp(`UID ${uid}\\)`));
      assert.equal(deadOf(client.objects(RUNS)), uid);
    }
  });

  it("unlock has nothing to say about a Run without a pod", async () => {
    const { call, client } = world({ runs: [aShopRun("database", 2, { observedGeneration: 1, phase: "Pending" })] });
    assert.equal((await call("unlock", "shop-database-2", "--yes")).code, EXIT.waiting);
    assert.equal(deadOf(client.objects(RUNS)), undefined);
  });

  it("unlock asks for --yes where nobody can be asked, and leaves a Run alone that has ended", async () => {
    const { call, client } = world({ runs: [working, applied] });
    const nobody = await call("unlock", "shop-database-2");
    assert.deepEqual(
      [nobody.code, nobody.err.split("\n").at(-1)],
      [EXIT.usage, "Nobody can be asked here: add --yes if you mean it"],
    );
    const ended = await call("unlock", "shop-network-1", "--yes");
    assert.equal(ended.code, EXIT.waiting);
    assert.match(ended.err, /kubectl terrarium state unlock shop network -n team$/);
    assert.equal(
      client.calls.some((call) => call.startsWith("patch")),
      false,
    );
  });
});
