import assert from "node:assert/strict";
import fc from "fast-check";
import { readPlan } from "../../../operator/engine/plan.ts";
import { listChanges } from "../../../operator/engine/plan-changes.ts";
import { driftedEngines, fixture, recordedEngines } from "./fixture.ts";

interface Resource {
  readonly address?: string;
  readonly type?: string;
  readonly change: { readonly actions: readonly string[]; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

const aResource = ({ change, ...fields }: Resource) => ({ address: "thing.a", type: "thing", ...fields, change });

function aPlan(changes: readonly Resource[], rest: object = {}) {
  return readPlan({ format_version: "1.2", resource_changes: changes.map(aResource), ...rest });
}

const update = (before: object, after: object, more: object = {}) => ({ actions: ["update"], before, after, ...more });

/** Attributes of the one change of a plan. */
function attributesOf(change: Resource["change"]): readonly string[] | undefined {
  return aPlan([{ change }]).changes.items[0]?.attributes;
}

describe("the changes of a plan", () => {
  for (const engine of recordedEngines) {
    const read = (name: string) => readPlan(JSON.parse(fixture(engine, name)));

    it(`of ${engine} are all listed, those first that destroy`, () => {
      const { changes } = read("plan-change.json");
      assert.deepEqual(
        changes.items.map(({ address, type, action, attributes }) => [action, address, type, attributes.join(" ")]),
        [
          ["delete", "terraform_data.extra[1]", "terraform_data", "id"],
          ["replace", "terraform_data.replaced", "terraform_data", "id output triggers_replace"],
          ["update", "terraform_data.changed", "terraform_data", "input output"],
          ["update", "terraform_data.hidden", "terraform_data", "input output"],
        ],
      );
      assert.deepEqual([changes.total, changes.truncated], [4, false]);
    });

    it(`of ${engine} hold no value`, () => {
      for (const name of ["plan-create.json", "plan-change.json", "plan-destroy.json"]) {
        assert.doesNotMatch(JSON.stringify(read(name).changes), /canary/);
      }
    });

    it(`of ${engine} that creates name every attribute that gets a value`, () => {
      const created = read("plan-create.json").changes.items;
      assert.deepEqual([...new Set(created.map(({ action }) => action))], ["create"]);
      assert.ok(created.every(({ attributes }) => attributes.includes("id")));
    });
  }

  it("are named down into maps, and not into lists", () => {
    const before = { tags: { Owner: "me", Team: "x" }, disks: [{ size: 1 }], size: "s", nested: { a: { b: 1, c: 2 } } };
    const after = { ...before, tags: { Owner: "you", Team: "x" }, disks: [{ size: 2 }], nested: { a: { b: 1, c: 3 } } };
    assert.deepEqual(attributesOf(update(before, after)), ["disks", "nested.a.c", "tags.Owner"]);
  });

  it("name what is marked as sensitive as a whole", () => {
    const change = update({ env: { A: "1", B: "2" } }, { env: { A: "1", B: "3" } }, { after_sensitive: { env: true } });
    assert.deepEqual(attributesOf(change), ["env"]);
  });

  it("name what is not known yet, and what only becomes sensitive", () => {
    const same = { id: "1", tags: { a: "x" } };
    assert.deepEqual(attributesOf(update(same, same, { after_unknown: { arn: true, tags: { b: true } } })), [
      "arn",
      "tags.b",
    ]);
    assert.deepEqual(attributesOf(update(same, same, { after_sensitive: { tags: { a: true } } })), ["tags.a"]);
  });

  it("have the name that a resource has had until now, where the plan gives it another", () => {
    const replaced = { actions: ["delete", "create"] };
    const { items } = aPlan([
      { address: "thing.b", previous_address: "thing.a", change: replaced },
      { address: "thing.c", previous_address: "thing.c", change: replaced },
    ]).changes;
    assert.deepEqual(
      items.map(({ address, previousAddress }) => [address, previousAddress]),
      [
        ["thing.b", "thing.a"],
        ["thing.c", undefined],
      ],
    );
  });

  it("include moves, imports and what is only forgotten, and leave out what is only read", () => {
    const { items } = aPlan([
      { address: "thing.b", previous_address: "thing.a", change: { actions: ["no-op"] } },
      { address: "thing.c", change: { actions: ["no-op"], importing: { id: "x" } } },
      { address: "thing.d", change: { actions: ["forget"], before: { id: "1" } } },
      { address: "data.thing.e", change: { actions: ["read"] } },
      { address: "thing.f", change: { actions: ["no-op"] } },
    ]).changes;
    assert.deepEqual(
      items.map(({ address, action }) => `${action} ${address}`),
      ["forget thing.d", "import thing.c", "move thing.b"],
    );
  });

  it("are cut where there are too many, and destruction is cut last", () => {
    const many = Array.from({ length: 30 }, (_, at) => ({
      address: `thing.a[${at}]`,
      type: "thing",
      change: { actions: at % 3 === 0 ? ["delete"] : ["create"] },
    }));
    const { items, total, truncated } = listChanges(many, 10);
    assert.deepEqual([items.length, total, truncated], [10, 30, true]);
    assert.ok(items.every(({ action }) => action === "delete"));
    assert.deepEqual(listChanges(many, 30).truncated, false);
  });

  it("say that attributes are missing where one change has too many", () => {
    const wide = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`a${at}`, at]));
    const { items, truncated } = aPlan([{ change: { actions: ["create"], before: null, after: wide } }]).changes;
    assert.deepEqual([items[0]?.attributes.length, items[0]?.attributesTruncated, truncated], [64, true, true]);
  });

  it("always name an attribute of an update that differs, whatever its shape", () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), fc.string(), value, value, (rest, name, old, now) => {
        fc.pre(JSON.stringify(old) !== JSON.stringify(now) && name !== "__proto__");
        const attributes = attributesOf(update({ ...rest, [name]: old }, { ...rest, [name]: now })) ?? [];
        assert.ok(attributes.some((path) => path === name || path.startsWith(`${name}.`)));
      }),
    );
  });
});

describe("a plan that only undoes drift", () => {
  const was = { id: "1", size: 3, tags: { a: "x" } };
  const drifted = { ...was, size: 9 };
  const drift = { resource_drift: [aResource({ change: update(was, drifted) })] };
  const gone = { resource_drift: [aResource({ change: { actions: ["delete"], before: was, after: null } })] };

  const cases: readonly [string, boolean, ReturnType<typeof aPlan>][] = [
    ["sets back what was changed", true, aPlan([{ change: update(drifted, was) }], drift)],
    [
      "makes anew what is gone, with ids that are not known yet",
      true,
      aPlan(
        [{ change: { actions: ["create"], before: null, after: { ...was, id: null }, after_unknown: { id: true } } }],
        gone,
      ),
    ],
    [
      "replaces what was changed",
      true,
      aPlan([{ change: { ...update(drifted, was), actions: ["delete", "create"] } }], drift),
    ],
    [
      "changes something else of the same resource",
      false,
      aPlan([{ change: update(drifted, { ...was, tags: {} }) }], drift),
    ],
    [
      "gives the drifted attribute a third value",
      false,
      aPlan([{ change: update(drifted, { ...was, size: 4 }) }], drift),
    ],
    [
      "takes an attribute away that was there",
      false,
      aPlan([{ change: update(drifted, { ...was, tags: null }) }], drift),
    ],
    [
      "could hide a difference in what is not known yet",
      false,
      aPlan([{ change: update(drifted, was, { after_unknown: { tags: { a: true } } }) }], drift),
    ],
    [
      "changes another resource, too",
      false,
      aPlan([{ change: update(drifted, was) }, { address: "thing.b", change: { actions: ["create"] } }], drift),
    ],
    ["destroys what drifted", false, aPlan([{ change: { actions: ["delete"], before: drifted, after: null } }], drift)],
    ["changes what did not drift", false, aPlan([{ change: update(drifted, was) }])],
    ["changes nothing", false, aPlan([{ change: { actions: ["no-op"] } }], drift)],
    [
      "changes an output",
      false,
      aPlan([{ change: update(drifted, was) }], { ...drift, output_changes: { o: update({ o: 1 }, { o: 2 }) } }),
    ],
    [
      "moves the resource as well",
      false,
      aPlan([{ previous_address: "thing.z", change: update(drifted, was) }], drift),
    ],
    ["also reads", true, aPlan([{ change: update(drifted, was) }, { change: { actions: ["read"] } }], drift)],
  ];

  for (const [what, driftOnly, plan] of cases) {
    it(`${driftOnly ? "is" : "is not"} one that ${what}`, () => assert.equal(plan.driftOnly, driftOnly));
  }

  for (const engine of driftedEngines) {
    it(`of ${engine} makes anew a file that is gone, and is none once it changes something else as well`, () => {
      const drift = readPlan(JSON.parse(fixture(engine, "plan-drift.json")));
      assert.deepEqual([drift.summary.create, drift.drift.total, drift.driftOnly], [1, 1, true]);
      const both = readPlan(JSON.parse(fixture(engine, "plan-drift-and-change.json")));
      assert.deepEqual([both.summary.create, both.summary.update, both.driftOnly], [1, 1, false]);
    });
  }

  it("is shown by two engines that are real", () => assert.ok(driftedEngines.length >= 2));

  for (const engine of recordedEngines) {
    it(`is none of those that ${engine} made for changes`, () => {
      for (const name of ["plan-create.json", "plan-change.json", "plan-destroy.json", "plan-empty.json"]) {
        assert.equal(readPlan(JSON.parse(fixture(engine, name))).driftOnly, false);
      }
    });
  }
});
