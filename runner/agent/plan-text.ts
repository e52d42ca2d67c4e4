/** The plan as people read it, for those who are asked about it, or told why it was refused. */
import { join } from "node:path";
import { cutBytes } from "../../operator/api/cut-bytes.ts";
import { parsePlanText } from "../../operator/engine/plan-document.ts";
import { PLAN_TEXT_BYTES, renderPlan } from "../../operator/engine/plan-text.ts";
import { type Bench, sayAway } from "./bench.ts";
import { FILES } from "./layout.ts";
import { patiently } from "./patience.ts";
import { readOwn } from "./tree.ts";

const largestDocument = 512 * 1024 * 1024;

/** Whatever comes in between, the plan itself goes on: the engine's log has it, too. */
export async function tellPlan(bench: Bench): Promise<void> {
  const { gateway, printer, ending } = bench;
  try {
    const text = await planText(bench);
    await patiently(() => gateway.planText(text), { onAway: sayAway(bench), signal: ending });
  } catch (error) {
    printer.say(`the readable plan is not kept: ${error instanceof Error ? error.message : error}`);
  }
}

/** Scrubbed last: what the engine does not mark as sensitive may still come from a Secret. */
async function planText({ layout, scrubber }: Bench): Promise<string> {
  const document = await readOwn(layout.out, join(layout.out, FILES.planDocument), largestDocument);
  const text = renderPlan(parsePlanText(document?.toString("utf8") ?? "null"));
  return cutBytes(scrubber.text(text), PLAN_TEXT_BYTES);
}
