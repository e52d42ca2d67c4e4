/** Applies a plan that waited: exactly those bytes, laid out where they were made, and only if the gateway still says so. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HeldPlan } from "../../operator/gateway/protocol.ts";
import { type Bench, sayAway } from "./bench.ts";
import { packBundle, unpackBundle } from "./bundle.ts";
import { Ended, failed } from "./ending.ts";
import { FILES } from "./layout.ts";
import { patiently } from "./patience.ts";

/** Hands the plan over: when this resolves, it waits in the store, and this pod is done. */
export async function holdPlan(bench: Bench): Promise<void> {
  const bundle = await packBundle(bench.layout);
  await patiently(() => bench.gateway.putBundle(bundle), { onAway: sayAway(bench), signal: bench.ending });
}

/** Fetches the plan, with what was made beside it, and returns where the engine finds it. */
export async function layOutHeld(bench: Bench, held: HeldPlan): Promise<string> {
  const { gateway, layout, ending } = bench;
  const bundle = await patiently(() => gateway.getBundle(ending), { onAway: sayAway(bench), signal: ending });
  const plan = await unpackBundle(bundle, join(layout.in, "overlay"));
  const digest = `sha256:${createHash("sha256").update(plan).digest("hex")}`;
  if (digest !== held.digest)
    throw failed("PlanFailed", "the stored plan is not the one that was approved: nothing was applied", {
      retry: "Never",
    });
  const path = join(layout.in, FILES.plan);
  await writeFile(path, plan, { mode: 0o640 });
  return path;
}

/** The last word before anything happens: from a yes on, the store knows that objects may exist. */
export async function askAgain(bench: Bench, held: HeldPlan, inputsDigest: string): Promise<void> {
  const report = { ...held, inputsDigest };
  const { verdict, reason, message } = await patiently(() => bench.gateway.plan(report), {
    onAway: sayAway(bench),
    signal: bench.ending,
  });
  if (verdict === "Apply") return;
  if (reason === "Interrupted") throw new Ended({ result: "Interrupted", reason, message, retry: "Never" });
  throw new Ended({ result: "Cancelled", reason, message });
}
