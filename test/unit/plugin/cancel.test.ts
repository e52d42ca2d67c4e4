import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import type { RunOutcome, RunStatus } from "../../../operator/api/run-status.ts";
import { ENVIRONMENTS, RUNS } from "../../../operator/cluster/resources.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { pluginWorld } from "../../fakes/plugin-world.ts";
import { aShopRun, at, shop } from "./shop.ts";

const outcome: RunOutcome = { result: "Applied", reason: "Applied", message: "the plan was applied" };
const applied = aShopRun("network", 1, { observedGeneration: 1, phase: "Succeeded", outcome });
const working = aShopRun("database", 2, { observedGeneration: 1, phase: "Applying" });

const check = aShopRun("network", 5, { observedGeneration: 1, phase: "Planning" }, { operation: "Check" });

const ASKED = "Asked shop-database-2 (shop/database) to stop.";

/** A shop in which a Run applies. */
function world(runs: readonly Run[] = [applied, working]) {
  const { call, client, stop } = pluginWorld({ environments: [shop()], runs, minutes: 20 });
  let looks = 0;
  client.faults.after = (verb, resource) => {
    if (verb === "get" && resource === RUNS.plural) looks += 1;
  };
  const look = async () => {
    const before = looks;
    for (let turn = 0; looks === before; turn += 1) {
      assert.ok(turn < 10_000, "the plugin looks no more");
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  return {
    call,
    client,
    stop,
    asked: () => client.objects(ENVIRONMENTS)[0]?.metadata.annotations?.[ANNOTATIONS.cancel],
    /** Until the plugin has looked at a Run once more. */
    look,
    /** What the operator writes, and the plugin has read. */
    async becomes(status: Partial<RunStatus>) {
      client.seed(RUNS, { ...working, status: { observedGeneration: 1, phase: "Applying", ...status } });
      await look();
    },
  };
}

const toldToStop: Partial<RunStatus> = {
  cancelRequestedAt: at(20),
  message: "cancelled by a person: it is asked to stop",
};
const step = (done: number, current: string): Partial<RunStatus> => ({
  progress: { step: "apply", done, total: 5, current, updatedAt: at(20) },
});

describe("kubectl terrarium cancel", () => {
  it("waits until the Run has ended, tells what happens meanwhile, and at the end what was done", async () => {
    const { call, asked, look, becomes } = world();
    const cancelling = call("cancel", "shop");
    while (asked() === undefined) await look();
    await becomes({ ...toldToStop, ...step(2, "aws_db_instance.main") });
    await becomes({ ...toldToStop, progress: { step: "apply", done: 2, total: 5, updatedAt: at(21) } });
    const message = "cancelled by a person while it was applied: 3 of 5 changes were done, and the state is saved";
    await becomes({ phase: "Cancelled", outcome: { result: "Cancelled", reason: "Cancelled", message } });
    const { code, out, err } = await cancelling;
    assert.equal(code, EXIT.done);
    assert.equal(asked(), "shop-database-2");
    assert.equal(out, `${ASKED}\nshop-database-2 has ended as Cancelled: ${message}`);
    assert.equal(
      err,
      `
Waiting until it has ended. Ctrl-C ends the waiting alone: the Run is asked to stop all the same.
Applying
cancelled by a person: it is asked to stop; apply 2/5 aws_db_instance.main
cancelled by a person: it is asked to stop; apply 2/5`.trimStart(),
    );
  });

  it("tells scripts where the Run ended in another way", async () => {
    const { call, asked, look, becomes } = world();
    const cancelling = call("cancel", "shop-database-2");
    while (asked() === undefined) await look();
    await becomes({ phase: "Succeeded", outcome });
    const { code, out } = await cancelling;
    assert.equal(code, EXIT.waiting);
    assert.equal(out, `${ASKED}\nshop-database-2 has ended as Applied: the plan was applied`);
  });

  it("says so when the record of the Run is gone", async () => {
    const { call, client, asked, look } = world();
    const cancelling = call("cancel", "shop");
    while (asked() === undefined) await look();
    client.seed(RUNS, { ...working, metadata: { ...working.metadata, deletionTimestamp: at(20), finalizers: [] } });
    client.seed(RUNS, applied);
    const { code, err } = await cancelling;
    assert.equal(code, EXIT.notFound);
    assert.match(err, /The Run shop-database-2 is gone, and its record with it/);
  });

  it("stops waiting with Ctrl-C", async () => {
    const { call, asked, look, stop } = world();
    const cancelling = call("cancel", "shop");
    while (asked() === undefined) await look();
    stop();
    const { code, out } = await cancelling;
    assert.deepEqual([code, out, asked()], [EXIT.interrupted, ASKED, "shop-database-2"]);
  });

  it("with --no-wait names the Run that is under way, and no other, and says where its end is told", async () => {
    const { call, asked } = world();
    const { code, out, err } = await call("cancel", "shop", "--no-wait");
    assert.deepEqual([code, out], [EXIT.done, ASKED]);
    assert.equal(err, "What becomes of it: kubectl terrarium runs shop -n team");
    assert.equal(asked(), "shop-database-2");
  });

  it("does not overwrite the wish to cancel another Run before the operator has heard of that", async () => {
    const other = aShopRun("network", 4, { observedGeneration: 1, phase: "Planning" });
    const { call, asked, look, becomes } = world([applied, working, other]);
    await call("cancel", "shop", "-c", "database", "--no-wait");
    const second = call("cancel", "shop", "-c", "network", "--no-wait");
    await look();
    await look();
    assert.equal(asked(), "shop-database-2");
    await becomes(toldToStop);
    const { code, err } = await second;
    assert.deepEqual([code, asked()], [EXIT.done, "shop-network-4"]);
    assert.match(err, /^shop-database-2 was asked to stop before: waiting until the operator has heard of that\./);
  });

  it("asks which when there are several, and says so when there is none, or it has ended", async () => {
    const other = aShopRun("network", 4, { observedGeneration: 1, phase: "Planning" });
    const { call, client } = world([applied, working, other]);
    const several = await call("cancel", "shop");
    assert.equal(several.code, EXIT.usage);
    assert.match(several.err, /choose one with --component \((network, database|database, network)\)/);
    assert.equal((await call("cancel", "shop", "-c", "app")).code, EXIT.waiting);
    assert.equal((await call("cancel", "shop-network-1")).code, EXIT.waiting);
    assert.equal(
      client.calls.some((call) => call.startsWith("patch")),
      false,
    );
    const { out } = await call("cancel", "shop", "-c", "network", "--no-wait");
    assert.equal(out, "Asked shop-network-4 (shop/network) to stop.");
  });

  it("of an environment ends no Check: what is under way beside one is meant", async () => {
    const { call, asked } = world([applied, working, check]);
    const { code, out } = await call("cancel", "shop", "--no-wait");
    assert.deepEqual([code, out, asked()], [EXIT.done, ASKED, "shop-database-2"]);
  });

  it("says how to end a Check where nothing else is under way, and ends it where it is named", async () => {
    const { call, asked } = world([applied, check]);
    const { code, err } = await call("cancel", "shop");
    assert.equal(code, EXIT.waiting);
    assert.equal(
      err,
      "No Run of shop that changes anything is under way. To end a Check: kubectl terrarium cancel shop-network-5 -n team",
    );
    assert.equal(asked(), undefined);
    const { out } = await call("cancel", "shop-network-5", "--no-wait");
    assert.deepEqual([out, asked()], ["Asked shop-network-5 (shop/network) to stop.", "shop-network-5"]);
  });
});
