import assert from "node:assert/strict";
import { compileExpression, evaluateExpression } from "../../../operator/approval/expression.ts";
import { factsOf } from "../../../operator/approval/plan-facts.ts";
import { rulesFor } from "../../../operator/environment/rules.ts";
import { statusFor } from "../../../operator/environment/status.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aPlanReport } from "../approval/plans.ts";
import { aStory } from "./story.ts";

const approval = { required: 1, planExpiresAfter: "24h" };
const bad = { ...approval, unless: "plan.deletes == 0" };
const refusal = { result: "Failed", reason: "Protected", message: "the plan destroys a", retry: "Never" } as const;

/** The rules that the first Run of the component gets. */
function rulesOf(story: ReturnType<typeof aStory>) {
  story.round();
  return story.openRuns()[0]?.spec.rules;
}

describe("The rules of a Run", () => {
  it("are absent where none are declared", () => {
    assert.equal(rulesOf(aStory(anEnvironment([aComponent("a")]))), undefined);
  });

  it("join the patterns of Environment and component, and take the component's number", () => {
    const spec = { protect: ["aws_db_instance", "module.data"], maxDeletes: 5 };
    const own = { protect: ["module.data", "aws_s3_bucket.logs"], maxDeletes: 0 };
    assert.deepEqual(rulesOf(aStory(anEnvironment([aComponent("a", own)], { spec }))), {
      protect: ["aws_db_instance", "module.data", "aws_s3_bucket.logs"],
      maxDeletes: 0,
    });
    assert.deepEqual(rulesOf(aStory(anEnvironment([aComponent("a")], { spec }))), spec);
  });

  it("have the expression of whoever asks, for what is asked", () => {
    const unless = "plan.delete == 0";
    const rules = { ...approval, unless, destroy: { required: 2 } };
    const environment = anEnvironment([aComponent("a")], { spec: { approval: rules } });
    assert.deepEqual(rulesFor(environment, { approval: { ...approval, unless } }, "Apply"), {
      approval: { required: 1, unless, expiresAfter: "24h" },
    });
    assert.deepEqual(rulesFor(environment, {}, "Destroy"), { approval: { required: 2, expiresAfter: "24h" } });
    assert.deepEqual(rulesFor(environment, { approval }, "Apply"), { approval: { required: 1, expiresAfter: "24h" } });
    const same = anEnvironment([], { spec: { approval: { ...approval, unless } } });
    assert.deepEqual(rulesFor(same, {}, "Destroy").approval?.unless, unless);
  });

  const ordinary = "plan.create < 3";
  const destroying = "plan.delete < 2";
  const asking = (required: number, unless?: string) => ({ required, ...(unless === undefined ? {} : { unless }) });
  for (const [what, rule, destroy, stricter] of [
    ["the greater number", asking(1), asking(2), asking(2)],
    ["the greater number, although the other is the one for destroying", asking(3), asking(1, destroying), undefined],
    ["its own number where nobody is asked otherwise", asking(0), asking(1, destroying), asking(1, destroying)],
    ["no exemption that only one of both has", asking(1, ordinary), asking(1), asking(1)],
    ["both expressions", asking(1, ordinary), asking(1, destroying), asking(1, `(${ordinary}) && (${destroying})`)],
    ["nothing of its own where both say the same", asking(1, ordinary), asking(1, ordinary), undefined],
    ["the ordinary rule where nobody is asked about a destroy", asking(1), asking(0), undefined],
  ] as const) {
    it(`have, for an ordinary plan that only destroys, ${what}`, () => {
      const spec = { approval: { ...rule, planExpiresAfter: "24h", destroy } };
      assert.deepEqual(rulesFor(anEnvironment([], { spec }), {}, "Apply").approval?.destroy, stricter);
    });
  }

  it("join expressions that end in a comment", () => {
    const holds = (text: string) => `${text} // as agreed`;
    const rules = { ...asking(1, holds(ordinary)), destroy: asking(1, holds(destroying)), planExpiresAfter: "24h" };
    const environment = anEnvironment([], { spec: { approval: rules } });
    const joined = rulesFor(environment, {}, "Apply").approval?.destroy?.unless ?? "";
    assert.deepEqual(compileExpression(joined).ok, true);
    const plan = aPlanReport({ counts: { create: 0, update: 0, replace: 0, delete: 1 } });
    assert.deepEqual(evaluateExpression(joined, factsOf(plan, "Apply")), { holds: true });
  });

  it("of a component that was removed are those that it was declared with", () => {
    const spec = { maxDeletes: 9 };
    const story = aStory(anEnvironment([aComponent("a", { protect: ["*"] }), aComponent("b")], { spec }));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("b")] } }));
    story.annotate({ "terrarium.dev/confirm-destroy": "a" });
    assert.deepEqual(rulesOf(story), { protect: ["*"], maxDeletes: 9 });
  });

  it("change nothing about what is applied", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, protect: ["*"], maxDeletes: 0 } }));
    story.round();
    assert.equal(story.verdict("a").state, "Ready");
    assert.equal(story.openRuns().length, 0);
  });
});

describe("A plan that a rule refused", () => {
  it("is not made again until something changes, and a person is told", () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { protect: ["*"] } }));
    story.round();
    story.end("a", "Failed", refusal);
    story.pass(3_600_000);
    story.round();
    const { state, reason, message, wakeAtMs } = story.verdict("a");
    assert.deepEqual([state, reason, message, wakeAtMs], ["Failed", "Protected", "the plan destroys a", undefined]);
    assert.equal(story.openRuns().length, 0);
    const status = statusFor(story.environment(), story.decision(), { lines: [] }, new Date(T0));
    const stalled = status?.conditions?.find(({ type }) => type === "Stalled");
    assert.deepEqual([stalled?.status, stalled?.reason], ["True", "Protected"]);
  });

  it("is tried again when the rule is lifted", () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { protect: ["*"] } }));
    story.round();
    story.end("a", "Failed", refusal);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, protect: [] } }));
    story.round();
    assert.equal(story.openRuns()[0]?.spec.number, 2);
    assert.equal(story.openRuns()[0]?.spec.rules, undefined);
  });

  it("holds the deletion back, which goes on when the rule is lifted", () => {
    const story = aStory(anEnvironment([aComponent("a")], { spec: { protect: ["*"] } }));
    story.settle();
    story.delete();
    story.round();
    assert.equal(story.openRuns()[0]?.spec.operation, "Destroy");
    assert.deepEqual(story.openRuns()[0]?.spec.rules, { protect: ["*"] });
    story.end("a", "Failed", refusal);
    story.round();
    assert.equal(story.decision().type, "dismantle", "the object stays");
    assert.equal(story.verdict("a").reason, "Protected");
    assert.equal(story.openRuns().length, 0);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, protect: [] } }));
    story.round();
    assert.equal(story.openRuns()[0]?.spec.operation, "Destroy");
    story.end("a", "Destroyed");
    story.settle();
    assert.equal(story.decision().type, "letGo");
  });
});

describe("An expression that does not compile", () => {
  const message = (spec: object, own: object = {}) => {
    const story = aStory(anEnvironment([aComponent("a", own)], { spec }));
    story.round();
    const { state, reason, message } = story.verdict("a");
    return state === "Stalled" && reason === "ApprovalExpressionInvalid" ? message : undefined;
  };

  it("stops the component, with its field and position", () => {
    assert.match(message({ approval: bad }) ?? "", /^spec\.approval\.unless:1:5: plan has no deletes: it has /);
    const destroy = { ...approval, destroy: { required: 1, unless: "true &&\n nope" } };
    assert.match(
      message({ approval: destroy }) ?? "",
      /^spec\.approval\.destroy\.unless:2:2: there is nothing called nope/,
    );
    assert.match(message({}, { approval: bad }) ?? "", /^spec\.components\[a\]\.approval\.unless:1:5: /);
  });

  it("does not stop a component that has rules of its own", () => {
    assert.equal(message({ approval: bad }, { approval }), undefined);
  });

  it("is told although nothing has to be done, and nothing is asked of the world for it", () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, approval: bad } }));
    story.round();
    assert.equal(story.verdict("a").reason, "ApprovalExpressionInvalid");
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, approval } }));
    assert.equal(story.verdict("a").state, "Ready");
  });

  it("costs a round of 64 components little", () => {
    const unless = 'plan.changes.all(c, c.type != "aws_db_instance" && c.action in ["create", "update"])';
    const components = Array.from({ length: 64 }, (_, at) => aComponent(`c${at}`));
    const story = aStory(anEnvironment(components, { spec: { approval: { ...approval, unless } } }));
    const plain = aStory(anEnvironment(components));
    const cost = ({ decision }: typeof story) => {
      const began = performance.now();
      for (let round = 0; round < 20; round += 1) decision();
      return (performance.now() - began) / 20;
    };
    for (const warm of [story, plain, story]) cost(warm);
    const more = cost(story) - cost(plain);
    assert.ok(more < 50, `${more} ms`);
  });
});
