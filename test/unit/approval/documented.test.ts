import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileExpression } from "../../../operator/approval/expression.ts";
import { CHANGE_FIELDS, PLAN_FIELDS } from "../../../operator/approval/plan-facts.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/plan-rules.md"), "utf8");

describe("the page about rules", () => {
  it("has every field that an expression can use", () => {
    for (const name of Object.keys(PLAN_FIELDS)) assert.ok(page.includes(`\`plan.${name}\``), name);
    for (const name of Object.keys(CHANGE_FIELDS)) assert.ok(page.includes(`\`.${name}\``), name);
  });

  it("has examples that compile", () => {
    const examples = /```\n(plan\.[^`]+)```/.exec(page)?.[1]?.trim().split("\n") ?? [];
    assert.ok(examples.length >= 5);
    for (const text of examples) assert.deepEqual([text, compileExpression(text).ok], [text, true]);
  });
});
