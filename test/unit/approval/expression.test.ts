import assert from "node:assert/strict";
import fc from "fast-check";
import { compileExpression, evaluateExpression } from "../../../operator/approval/expression.ts";
import { CHANGE_FIELDS, factsOf, PLAN_FIELDS, type PlanFacts } from "../../../operator/approval/plan-facts.ts";
import { aPlanReport } from "./plans.ts";

const facts: PlanFacts = factsOf(
  aPlanReport({
    counts: { create: 1, update: 2, replace: 0, delete: 0 },
    changes: [
      { address: "aws_instance.new", type: "aws_instance", action: "create", attributes: ["ami"] },
      {
        address: "module.data.aws_db_instance.main",
        type: "aws_db_instance",
        action: "update",
        attributes: ["tags.Owner"],
      },
      {
        address: 'aws_s3_bucket.b["logs"]',
        type: "aws_s3_bucket",
        action: "update",
        attributes: ["tags.Owner", "tags.Team"],
      },
    ],
    drifted: 1,
    driftOnly: false,
  }),
  "Apply",
);

/** The value, added to itself sixteen times over. */
function doubled(value: string, then: (sum: string) => string): string {
  const deeper = Array.from({ length: 16 }, (_, at) => `.map(x${at}, [x${at} + x${at}]`).join("");
  return `[${value}]${deeper}.map(sum, ${then("sum")})${")".repeat(16)} == []`;
}

describe("an expression about a plan", () => {
  const cases: readonly [string, boolean][] = [
    ["plan.delete == 0 && plan.replace == 0", true],
    ["plan.create + plan.update <= 2", false],
    ["plan.delete == 0 && plan.create < 10", true],
    ['plan.operation == "Destroy"', false],
    ["plan.driftOnly", false],
    ["plan.drifted == 1 && plan.forget == 0", true],
    ['plan.changes.all(c, c.action in ["update", "create"])', true],
    ['plan.changes.all(c, c.type != "aws_db_instance")', false],
    ['plan.changes.exists(c, c.address.startsWith("module.data."))', true],
    ['plan.changes.filter(c, c.action == "update").all(c, c.attributes.all(a, a.startsWith("tags.")))', true],
    ['plan.changes.exists(c, c.address.matches("^aws_s3_bucket\\\\..*logs"))', true],
    ['plan.changes.map(c, c.type).exists(t, t == "aws_instance")', true],
    ["size(plan.changes) == 3", true],
    ["plan.changes[0].action == 'create'", true],
    ["plan.changes.exists_one(c, c.action == 'create') ? true : false", true],
    ["has(plan.changes) && !plan.driftOnly", true],
    ["plan.changes.map(c, c.action).join('+').replace('update', 'u') == 'create+u+u'", true],
  ];
  for (const [text, holds] of cases) {
    it(`${text} ${holds ? "holds" : "does not hold"}`, () => {
      assert.deepEqual(compileExpression(text).ok, true);
      assert.deepEqual(evaluateExpression(text, facts), { holds });
    });
  }

  const wrong: readonly [string, string, string][] = [
    ["that is cut off", "plan.delete == ", '1:13: "=" is not expected here'],
    ["with an operator that CEL lacks", "plan.delete ==== 0", '1:13: "=" is not expected here'],
    ["that is empty", "", "1:1: the expression is not complete"],
    ["with a bracket too few", "(plan.delete == 0", "1:18: the expression is not complete"],
    [
      "about something else",
      "plan.delete == 0 &&\n  env == 3",
      "2:3: there is nothing called env: an expression sees plan",
    ],
    [
      "about a count that no plan has",
      "plan.deletes == 0",
      "1:5: plan has no deletes: it has operation, create, update, replace, delete, forget, drifted, driftOnly, changes",
    ],
    [
      "with a slip in a field of a change",
      "plan.changes.all(c,\n c.adress == 'x')",
      "2:3: a change has no adress: it has address, previousAddress, type, action, attributes",
    ],
    [
      "that takes the list for a change",
      "plan.changes.action == 'x'",
      "1:13: plan.changes is a list and has no action",
    ],
    ["with a function that does not exist", "plan.delete.isZero()", "1:12: there is no function isZero"],
    ["with a name of every object", "plan.toString == 1", /^1:5: plan has no toString/.source],
    ["that makes a message", "google.protobuf.Duration{seconds: 3} == plan", /there is no type/.source],
    ["with bytes", "plan.delete == 0 ||\n b'aa' == b'bb'", "2:2: there are no bytes in a plan: use a string"],
    ["that makes bytes of a text", "size(bytes('aa')) > 3", "1:6: there are no bytes in a plan: use a string"],
    ["with more brackets than anybody reads", `${"(".repeat(40)}1`, "1:33: more than 32 brackets are open"],
  ];
  for (const [what, text, expected] of wrong) {
    it(`${what} does not compile, and the place is named`, () => {
      const compiled = compileExpression(text);
      assert.ok(!compiled.ok);
      const said = `${compiled.line}:${compiled.column}: ${compiled.message}`;
      assert.ok(said === expected || new RegExp(expected).test(said), said);
    });
  }

  const failing: readonly [string, string, RegExp][] = [
    ["is no yes or no", "plan.delete", /neither true nor false/],
    ["divides by nothing", "1 / plan.delete == 0", /./],
    ["compares what cannot be compared", 'plan.delete < "3"', /./],
    ["looks behind the end of the list", "plan.changes[7].action == 'create'", /./],
    [
      "adds texts up to one that is too long",
      doubled("'12345678'", (text) => `size(${text})`),
      /more than 262144 characters/,
    ],
    [
      "fills a text with others",
      doubled("['12345678']", (list) => `size(${list}.join())`),
      /more than 262144 characters/,
    ],
    ["replaces a letter by many", `"${"a".repeat(600)}".replace("a", "${"b".repeat(500)}") == ""`, /262144 characters/],
    ["reads a number that is none", "int(plan.changes[0].type) == 1", /./],
  ];
  for (const [what, text, because] of failing) {
    it(`that ${what} fails on the plan`, () => {
      assert.equal(compileExpression(text).ok, true);
      const answer = evaluateExpression(text, facts);
      assert.ok("failed" in answer && because.test(answer.failed), JSON.stringify(answer));
    });
  }

  it("of any text compiles or is refused, and never throws", () => {
    const words = fc.constantFrom(
      "plan",
      ".",
      "changes",
      "(",
      ")",
      "[",
      "]",
      "{",
      "}",
      "&&",
      "==",
      "0",
      '"',
      "'",
      "exists",
      "c",
      ",",
      "?",
      ":",
      "!",
      "-",
      "\n",
      "has",
      "1e999",
      "\\",
      "{a:",
    );
    const text = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.array(words, { maxLength: 25 }).map((list) => list.join("")),
    );
    fc.assert(
      fc.property(text, (some) => {
        const compiled = compileExpression(some);
        assert.ok(compiled.ok || (compiled.message !== "" && compiled.line > 0 && compiled.column > 0));
        const answer = evaluateExpression(some, facts);
        assert.ok("failed" in answer || typeof answer.holds === "boolean");
      }),
    );
  });

  it("can use every field that is documented, and no value has another", () => {
    for (const name of Object.keys(PLAN_FIELDS)) assert.equal(compileExpression(`has(plan.${name})`).ok, true);
    assert.deepEqual(Object.keys(facts).sort(), Object.keys(PLAN_FIELDS).sort());
    assert.deepEqual(Object.keys(facts.changes[0] ?? {}).sort(), Object.keys(CHANGE_FIELDS).sort());
  });
});
