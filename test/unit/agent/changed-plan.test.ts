import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyPlan } from "../../../runner/agent/apply-step.ts";
import type { Bench } from "../../../runner/agent/bench.ts";
import type { EngineSession } from "../../../runner/agent/engine-session.ts";

const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

describe("A plan that was judged", () => {
  let out = "";
  const started: string[] = [];
  const engine = {
    run: ({ id }: { readonly id: string }) => {
      started.push(id);
      return Promise.reject(new Error("it is enough to have begun"));
    },
  } as unknown as EngineSession;
  const bench = () => ({ layout: { out }, order: { timeouts: { applyMs: 1 } } }) as unknown as Bench;
  const order = (digest: string) => ({
    digest,
    plan: join(out, "plan.tfplan"),
    cwd: out,
    env: {},
    ephemeralVariableFile: undefined,
  });

  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), "judged-"));
    writeFileSync(join(out, "plan.tfplan"), "the plan");
    started.length = 0;
  });
  afterEach(() => rmSync(out, { recursive: true }));

  it("is not applied when its file was changed by a single byte", async () => {
    writeFileSync(join(out, "plan.tfplan"), "the p1an");
    await assert.rejects(applyPlan(bench(), engine, order(digestOf("the plan"))), /changed after it had been judged/);
    assert.deepEqual(started, []);
  });

  it("is applied when it is the very same", async () => {
    await assert.rejects(applyPlan(bench(), engine, order(digestOf("the plan"))), /enough to have begun/);
    assert.deepEqual(started, ["apply"]);
  });
});
