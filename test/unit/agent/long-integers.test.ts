import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench } from "../../../runner/agent/bench.ts";
import type { EngineSession } from "../../../runner/agent/engine-session.ts";
import { makePlan, type PlanInputs } from "../../../runner/agent/plan-step.ts";
import { tellPlan } from "../../../runner/agent/plan-text.ts";
import { Scrubber } from "../../../runner/agent/scrub.ts";

/** As an engine writes it: no number of JavaScript can tell the two sizes apart. */
const DOCUMENT = `{"format_version": "1.2", "resource_changes": [{"address": "thing.a", "type": "thing", "change": {
  "actions": ["update"],
  "before": {"size": 9007199254740992, "serial": 7},
  "after": {"size": 9007199254740993, "serial": 7}
}}]}`;

describe("a plan that changes one integer above 2^53 into the next", () => {
  let out: string;
  const told: string[] = [];

  before(() => {
    out = mkdtempSync(join(tmpdir(), "plan-"));
    mkdirSync(join(out, ".terraform"));
    writeFileSync(join(out, ".terraform", "terraform.tfstate"), '{"backend": {"type": "http"}}');
    writeFileSync(join(out, "plan.tfplan"), "the plan");
    writeFileSync(join(out, "plan.json"), DOCUMENT);
  });

  after(() => rmSync(out, { recursive: true }));

  const bench = () =>
    ({
      layout: { out },
      order: { operation: "Apply", timeouts: { planMs: 60_000 } },
      progress: { step: () => {} },
      scrubber: new Scrubber(),
      gateway: { planText: async (text: string) => void told.push(text) },
      ending: new AbortController().signal,
    }) as unknown as Bench;

  it("is reported with the attribute that changes", async () => {
    const engine = { run: async () => ({ exit: { code: 0, signal: null } }) } as unknown as EngineSession;
    const inputs = { module: { cwd: out }, env: {}, inputsDigest: "hmac:1" } as unknown as PlanInputs;
    const { report } = await makePlan(bench(), engine, inputs);
    assert.deepEqual(report.changes?.[0]?.attributes, ["size"]);
    assert.equal(report.changesTruncated, false);
  });

  it("is shown with both", async () => {
    await tellPlan(bench());
    assert.match(told[0] ?? "", /~ size = 9007199254740992 -> 9007199254740993$/m);
    assert.match(told[0] ?? "", /1 unchanged attribute hidden/);
  });
});
