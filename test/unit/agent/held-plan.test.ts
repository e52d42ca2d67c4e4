import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HeldPlan } from "../../../operator/gateway/protocol.ts";
import type { Bench } from "../../../runner/agent/bench.ts";
import { packBundle } from "../../../runner/agent/bundle.ts";
import { Ended } from "../../../runner/agent/ending.ts";
import { GatewayRefused } from "../../../runner/agent/gateway-client.ts";
import { layOutHeld } from "../../../runner/agent/held-step.ts";
import { FILES } from "../../../runner/agent/layout.ts";

const approved = { digest: `sha256:${createHash("sha256").update("the plan").digest("hex")}` } as HeldPlan;

describe("A plan that waited and was approved", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "held-"));
    for (const folder of ["in", "out/work"]) mkdirSync(join(root, folder), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const layout = () => ({ in: join(root, "in"), out: join(root, "out"), work: join(root, "out/work") });
  async function bundleOf(plan: string): Promise<Buffer> {
    writeFileSync(join(root, "out/plan.tfplan"), plan);
    return packBundle(layout());
  }
  /** What the store has by now. */
  const layOut = (stored: () => Promise<Buffer>) =>
    layOutHeld({ gateway: { getBundle: stored }, layout: layout() } as unknown as Bench, approved);
  const nothingIsLaidOut = () => assert.equal(existsSync(join(root, "in", FILES.plan)), false);

  it("is laid out for the engine, byte for byte", async () => {
    const bundle = await bundleOf("the plan");
    assert.equal(readFileSync(await layOut(async () => bundle), "utf8"), "the plan");
  });

  it("is not taken for another one that was put in its place", async () => {
    const bundle = await bundleOf("a plan of another environment");
    await assert.rejects(
      layOut(async () => bundle),
      (error) => error instanceof Ended && /not the one that was approved: nothing was applied/.test(error.message),
    );
    nothingIsLaidOut();
  });

  it("is not laid out in part where it was truncated", async () => {
    const bundle = await bundleOf("the plan");
    await assert.rejects(layOut(async () => bundle.subarray(0, bundle.length - 12)));
    nothingIsLaidOut();
  });

  it("is not asked for again where the store has lost it", async () => {
    let asked = 0;
    const lost = async () => {
      asked += 1;
      throw new GatewayRefused(409, "StoreCorrupt", "a chunk is missing");
    };
    await assert.rejects(layOut(lost), /a chunk is missing/);
    assert.equal(asked, 1);
    nothingIsLaidOut();
  });
});
