import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { OwnRules } from "../../../operator/api/own-rules.ts";
import { act } from "../../../operator/environment/act.ts";
import type { EnvironmentPorts } from "../../../operator/environment/ports.ts";
import { aComponent, aLifetime, anEnvironment, T0 } from "../../fakes/objects.ts";
import { declare } from "./declared.ts";
import { aStory } from "./story.ts";

const asking = (required: number) => ({ required, planExpiresAfter: "24h" }) as const;
const protecting: OwnRules = { protect: ["aws_db_instance"] };
const app = aComponent("app");
const db = (own: OwnRules = {}) => aComponent("db", own);

/** The component is applied with these rules, and nothing is to be done. */
function applied(own: OwnRules = {}) {
  const story = aStory(anEnvironment([db(own), app]));
  story.settle();
  return story;
}

type Story = ReturnType<typeof aStory>;

/** What a round would write into records. */
function toNote(story: Story) {
  const decision = story.decision();
  return "verdicts" in decision ? (decision.rulesToNote ?? []).map(({ key, rules }) => [key.component, rules]) : [];
}

/** The rules of the destroy, once the declaration is gone and a person has confirmed that. */
function rulesOfRemoval(story: Story, name = "db") {
  declare(story, app);
  story.annotate({ [ANNOTATIONS.confirmDestroy]: name });
  story.round();
  const destroy = story.runs().find(({ spec }) => spec.operation === "Destroy");
  assert.ok(destroy, "it is destroyed");
  return destroy.spec.rules;
}

describe("Rules that were declared after the last apply", () => {
  for (const [what, own, rules] of [
    ["a protection", protecting, protecting],
    ["people who must agree", { approval: asking(2) }, { approval: { required: 2, expiresAfter: "24h" } }],
    ["a limit", { maxDeletes: 0 }, { maxDeletes: 0 }],
  ] as const) {
    it(`count when the component is removed: ${what}`, () => {
      const story = applied();
      declare(story, db(own), app);
      story.settle();
      assert.deepEqual(story.started, ["Apply db #1", "Apply app #1"], "rules make no Run");
      assert.deepEqual(rulesOfRemoval(story), rules);
    });

    it(`do not come back when the component is removed: ${what}, which was lifted`, () => {
      const story = applied(own);
      declare(story, db(), app);
      story.settle();
      assert.equal(rulesOfRemoval(story), undefined);
    });
  }

  it("are noted once for each edit, and never where nothing differs", () => {
    const story = applied();
    assert.deepEqual(toNote(story), []);
    declare(story, db(protecting), app);
    assert.deepEqual(toNote(story), [["db", protecting]]);
    story.round();
    assert.deepEqual(toNote(story), []);
    declare(story, db(), app);
    assert.deepEqual(toNote(story), [["db", {}]]);
    story.round();
    assert.deepEqual(toNote(story), []);
    assert.equal("declaredRules" in (story.records.get("db") ?? {}), false, "it has been applied with none");
  });

  it("are noted while a Run is open, and while the Environment is suspended", () => {
    const story = applied();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    assert.equal(story.openRuns().length, 2);
    declare(story, db(protecting), app);
    assert.deepEqual(toNote(story), [["db", protecting]]);
    story.round();
    story.settle();
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, suspend: true } }));
    declare(story, db({ maxDeletes: 1 }), app);
    assert.deepEqual(toNote(story), [["db", { maxDeletes: 1 }]]);
  });

  it("outlive an apply that was made with those before, and are forgotten with one that has them", () => {
    const story = applied();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    declare(story, db(protecting), app);
    story.round();
    for (const name of ["db", "app"]) story.end(name, "Applied");
    assert.deepEqual(story.records.get("db")?.declaredRules, protecting);
    story.annotate({ [ANNOTATIONS.requestedAt]: "later" });
    story.settle();
    assert.equal(story.records.get("db")?.declaredRules, undefined);
    assert.deepEqual(rulesOfRemoval(story), protecting);
  });

  it("count also where an apply has begun and did not end well", () => {
    const story = applied();
    declare(story, db(protecting), app);
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.round();
    declare(story, db({ maxDeletes: 3 }), app);
    story.round();
    story.end("db", "Failed", { reason: "ApplyFailed", message: "quota" });
    story.end("app", "Applied");
    assert.deepEqual(rulesOfRemoval(story), { maxDeletes: 3 });
  });

  it("are noted where the state has still its former name, and go with it", () => {
    const story = applied();
    const renamed = aComponent("store", { formerName: "db", ...protecting });
    declare(story, renamed, app);
    assert.deepEqual(toNote(story), [["db", protecting]]);
    story.round();
    assert.deepEqual(story.records.get("store")?.declaredRules, protecting);
    assert.deepEqual(rulesOfRemoval(story, "store"), protecting);
  });

  it("are not written into a record that holds nothing, or that is another's", () => {
    const story = applied();
    declare(story, db(protecting), app);
    const record = story.records.get("db") ?? assert.fail();
    const others = [
      { mayHoldObjects: false },
      { ownership: "Released" },
      { owner: { environmentUid: "other" } },
      { movingTo: "store" },
    ] as const;
    for (const other of others) {
      story.records.set("db", { ...record, ...other });
      assert.deepEqual(toNote(story), [], JSON.stringify(other));
    }
  });

  it("are noted at the end of a lifetime, and of what is being deleted, where the declaration counts as before", () => {
    const expired = aStory(anEnvironment([db(), app], { spec: { lifetime: aLifetime() } }));
    expired.settle();
    expired.pass(48 * 3_600_000);
    const deleted = applied();
    deleted.delete();
    for (const [ending, story] of [
      ["Expired", expired],
      ["Deleted", deleted],
    ] as const) {
      declare(story, db(protecting), app);
      story.round();
      const rules = story.runs().find(({ spec }) => spec.component === "db" && spec.operation === "Destroy")
        ?.spec.rules;
      assert.deepEqual(rules, protecting, ending);
      assert.deepEqual(story.records.get("db")?.declaredRules, protecting, ending);
    }
  });

  it("that cannot be noted keep no other component waiting, and fail the round", async () => {
    const story = applied();
    declare(story, db(protecting), aComponent("app", { maxDeletes: 1 }), aComponent("new"));
    const done: unknown[] = [];
    const ports = {
      now: () => new Date(T0),
      async noteRules({ component }, uid, rules) {
        if (component === "db") throw new Error("the store is away");
        done.push([component, uid, rules]);
      },
      async createRun(_environment, _name, { component }) {
        done.push(component);
      },
    } satisfies Partial<EnvironmentPorts>;
    const { errors } = await act(
      story.environment(),
      story.decision(),
      ports as unknown as EnvironmentPorts,
      new AbortController().signal,
    );
    assert.deepEqual(done, [["app", "env-uid", { maxDeletes: 1 }], "new"]);
    assert.match(String(errors), /the store is away/);
  });
});
