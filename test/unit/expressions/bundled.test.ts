import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { factsOf } from "../../../operator/approval/plan-facts.ts";
import type { Evaluate } from "../../../operator/expressions/thread.ts";
import { bundle, checkout } from "../../../tools/bundle.ts";
import { aPlanReport } from "../approval/plans.ts";

describe("the thread for expressions in an image", function () {
  this.timeout(60_000);

  it("is found beside the operator's bundle", async () => {
    const outdir = mkdtempSync(join(tmpdir(), "bundle-"));
    try {
      await bundle({ outdir, version: "0", only: ["expressions"] });
      await build({
        entryPoints: [join(checkout, "operator/expressions/thread.ts")],
        outfile: join(outdir, "operator.mjs"),
        bundle: true,
        platform: "node",
        format: "esm",
        logLevel: "error",
      });
      const { createExpressionThread } = (await import(join(outdir, "operator.mjs"))) as {
        createExpressionThread: (options: object) => Evaluate;
      };
      const question = { text: "plan.delete == 0", facts: factsOf(aPlanReport(), "Apply") };
      const answer = await createExpressionThread({ deadlineMs: 20_000 })(question, new AbortController().signal);
      assert.deepEqual(answer, { holds: true });
    } finally {
      rmSync(outdir, { recursive: true });
    }
  });
});
