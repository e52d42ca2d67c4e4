import assert from "node:assert/strict";
import fc from "fast-check";
import { blindTo, driftIn, type IgnoreRule, isDrifted, matches } from "../../../operator/engine/drift.ts";
import { readPlan } from "../../../operator/engine/plan.ts";

interface Thing {
  readonly address: string;
  readonly actions: readonly string[];
  readonly before?: object;
  readonly after?: object;
}

const changeOf = ({ address, actions, before = {}, after = {} }: Thing) => ({
  address,
  type: "thing",
  change: { actions, before, after },
});

/** A plan of what was applied, as the engine shows it. */
const aPlan = (
  changes: readonly Thing[],
  more: { readonly outside?: readonly Thing[]; readonly outputs?: object } = {},
) =>
  readPlan(
    {
      format_version: "1.2",
      resource_changes: changes.map(changeOf),
      resource_drift: (more.outside ?? []).map(changeOf),
      output_changes: more.outputs ?? {},
    },
    Number.POSITIVE_INFINITY,
  );

const edited: Thing = {
  address: "thing.a",
  actions: ["update"],
  before: { size: 2, tag: "x" },
  after: { size: 1, tag: "x" },
};
const retagged: Thing = { address: "thing.b", actions: ["update"], before: { tags: "by hand" }, after: { tags: "" } };
const gone: Thing = { address: "thing.c", actions: ["create"], after: { size: 1, tags: "" } };

describe("drift", () => {
  it("is what a plan of the applied module would change, counted by what a correction would do", () => {
    const found = driftIn(aPlan([edited, gone, { address: "thing.d", actions: ["delete", "create"] }]), []);
    assert.deepEqual(found.counts, { create: 1, update: 1, replace: 1, delete: 0 });
    assert.deepEqual(
      found.differences.map(({ address, action }) => `${action} ${address}`),
      ["replace thing.d", "update thing.a", "create thing.c"],
    );
    assert.ok(isDrifted(found));
  });

  it("is none where nothing would change, or only data would be read", () => {
    const found = driftIn(
      aPlan([
        { address: "thing.a", actions: ["no-op"] },
        { address: "data.a", actions: ["read"] },
      ]),
      [],
    );
    assert.ok(!isDrifted(found));
  });

  it("is an output that would have another value", () => {
    const found = driftIn(aPlan([], { outputs: { id: { actions: ["update"], before: 1, after: 2 } } }), []);
    assert.deepEqual(found.outputs, ["output.id"]);
    assert.ok(isDrifted(found));
  });

  it("is not what changed in attributes that the module does not set: that is told, and no apply would undo it", () => {
    const found = driftIn(aPlan([edited], { outside: [edited, retagged] }), []);
    assert.deepEqual(found.outside, ["thing.b"]);
    assert.equal(found.differences.length, 1);
  });

  it("does not count what a rule ignores, and tells it", () => {
    const found = driftIn(aPlan([edited, retagged]), [{ attributes: ["tags*"] }]);
    assert.deepEqual([found.counts.update, found.ignored], [1, ["thing.b"]]);
  });

  it("is none where only ignored differences are left", () => {
    assert.ok(!isDrifted(driftIn(aPlan([retagged]), [{ address: "thing.*", attributes: ["tags"] }])));
  });

  it("counts a difference of which only a part is ignored", () => {
    const both: Thing = {
      address: "thing.a",
      actions: ["update"],
      before: { size: 2, tags: 1 },
      after: { size: 1, tags: 2 },
    };
    assert.ok(isDrifted(driftIn(aPlan([both]), [{ attributes: ["tags"] }])));
    assert.ok(!isDrifted(driftIn(aPlan([both]), [{ attributes: ["tags", "size"] }])));
  });

  it("counts an object that is gone, whatever attributes are ignored", () => {
    assert.ok(isDrifted(driftIn(aPlan([gone]), [{ attributes: ["*"] }])));
    assert.ok(!isDrifted(driftIn(aPlan([gone]), [{ address: "thing.c" }])));
  });
});

describe("a rule for what is inside of an attribute", () => {
  const bucket = (before: object, after: object, more: object = {}): Thing => ({
    address: "bucket.b",
    actions: ["update"],
    before,
    after,
    ...more,
  });
  const backedUp = bucket({ tags: { Owner: "x", LastBackup: "1" } }, { tags: { Owner: "x", LastBackup: "0" } });
  const owned = bucket({ tags: { Owner: "y", LastBackup: "1" } }, { tags: { Owner: "x", LastBackup: "0" } });
  const sized = bucket({ size: 2, tags: { LastBackup: "1" } }, { size: 1, tags: { LastBackup: "0" } });
  const added = bucket({ tags: { LastBackup: "1" } }, { tags: {} });
  const untagged = bucket({ tags: { LastBackup: "1" } }, { tags: null });
  const listed = bucket({ rule: [{ name: "a" }] }, { rule: [{ name: "b" }] });
  const deep = bucket({ spec: { display_name: "a" } }, { spec: { display_name: "b" } });
  const secret = { after_unknown: {}, before_sensitive: { tags: { Key: true } }, after_sensitive: {} };

  const rows: readonly (readonly [string, Thing, readonly string[], boolean])[] = [
    ["a key", backedUp, ["tags.LastBackup"], true],
    ["any key", backedUp, ["tags.*"], true],
    ["a key of any attribute", backedUp, ["*.LastBackup"], true],
    ["the whole attribute", backedUp, ["tags"], true],
    ["the whole attribute by its beginning", backedUp, ["tags*"], true],
    ["another key", backedUp, ["tags.Owner"], false],
    ["one key of two", owned, ["tags.LastBackup"], false],
    ["both keys", owned, ["tags.LastBackup", "tags.Owner"], true],
    ["a key, while another attribute differs", sized, ["tags.*"], false],
    ["a key and that attribute", sized, ["tags.*", "size"], true],
    ["a key that somebody has added", added, ["tags.LastBackup"], true],
    ["a key, where the whole attribute is gone", untagged, ["tags.LastBackup"], false],
    ["the attribute, where the whole of it is gone", untagged, ["tags"], true],
    ["what is inside of a list", listed, ["rule.name"], false],
    ["a name that ends as a key does", deep, ["*name"], false],
    ["a path that ends as a key does", deep, ["*.*name"], true],
    ["a path beside a name that every object has", bucket({ constructor: 2 }, { constructor: 1 }), ["tags.*"], false],
    ["nothing that a dot could be in", bucket({ size: 2 }, { size: 1 }), ["*.*"], false],
  ];
  for (const [what, thing, attributes, expected] of rows)
    it(`${expected ? "ignores" : "does not ignore"} a change by ${JSON.stringify(attributes)}: ${what}`, () => {
      assert.equal(!isDrifted(driftIn(aPlan([thing]), [{ attributes }])), expected);
      const outside = driftIn(aPlan([], { outside: [thing] }), [{ attributes }]).outside;
      assert.equal(outside.length === 0, expected, "outside of what the module sets");
    });

  it("does not see into what is sensitive", () => {
    const change = { actions: ["update"], before: { tags: { Key: "1" } }, after: { tags: { Key: "0" } }, ...secret };
    const whole = { ...change, before_sensitive: { tags: true } };
    const found = (one: object, attributes: readonly string[]) => {
      const resource_changes = [{ address: "bucket.b", type: "bucket", change: one }];
      return driftIn(readPlan({ format_version: "1.2", resource_changes }), [{ attributes }]);
    };
    assert.ok(!isDrifted(found(change, ["tags.Key"])), "the key's value is, and the key is not");
    assert.ok(isDrifted(found(whole, ["tags.Key"])));
    assert.ok(!isDrifted(found(whole, ["tags"])));
  });

  it("excuses no replacement, and leaves something to be found", () => {
    const replaced = { ...backedUp, actions: ["delete", "create"] };
    assert.ok(isDrifted(driftIn(aPlan([replaced]), [{ attributes: ["tags.*"] }])));
    assert.equal(blindTo([{ attributes: ["*.*"] }]), undefined);
  });

  it("ignores what names ignore, and what paths ignore that cover all of it, for any change", () => {
    const values = fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom(1, 2), { maxKeys: 2 });
    const attributes = fc.record({ tags: fc.option(values), size: fc.constantFrom(1, 2) });
    const patterns = fc.constantFrom("tags", "tags*", "size", "tags.a", "tags.*", "*.b", "*", "*a");
    fc.assert(
      fc.property(attributes, attributes, fc.uniqueArray(patterns, { minLength: 1 }), (before, after, names) => {
        const plan = aPlan([bucket(before, after)]);
        const [{ changed = [] } = {}] = plan.resources.items;
        const paths = plan.changes.items.flatMap((one) => one.attributes);
        const isNamed = (name = "") => names.some((pattern) => matches(pattern, name));
        const covers = (path: string) => names.some((pattern) => pattern.includes(".") && matches(pattern, path));
        const expected =
          changed.length > 0 && paths.every((path) => isNamed(path.split(".")[0]) || covers(path)) ? 0 : 1;
        assert.equal(driftIn(plan, [{ attributes: names }]).differences.length, expected);
      }),
    );
  });
});

describe("a pattern", () => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ["module.app.*", "module.app.thing.a", true],
    ["*.a", "module.app.thing.a", true],
    ["module.*.thing.*", "module.app.thing.a", true],
    ["module.*.thing.*", "module.app.other.a", false],
    ["thing.a", "thing.a", true],
    ["thing.a", "thing.ab", false],
    ["thing.a*a", "thing.a", false],
    ["thing[*]", "thing[0]", true],
    ["thing.(a|b)+$", "thing.a", false],
    ["*", "", true],
  ];
  for (const [pattern, text, expected] of rows)
    it(`${pattern} ${expected ? "matches" : "does not match"} ${text || "nothing at all"}`, () =>
      assert.equal(matches(pattern, text), expected));

  it("means what a regular expression would mean, and never takes long", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
    const words = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 });
    fc.assert(
      fc.property(letters, words, (pattern, text) => {
        assert.equal(matches(pattern, text), new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(text));
      }),
    );
    const begun = performance.now();
    matches(`${"a*".repeat(100)}b`, "a".repeat(100_000));
    assert.ok(performance.now() - begun < 1_000);
  });
});

describe("rules that leave nothing to be found", () => {
  const rows: readonly (readonly [IgnoreRule, "everything" | "edits" | undefined])[] = [
    [{}, "everything"],
    ...["*", "**", "*.*", "**.*", "*_*", "*_*.*", "*_**"].map((address) => [{ address }, "everything"] as const),
    ...[".", ".*", "*.", "*.a", "*.*.*", "module.*", "module.*.*", "aws_*", "*.aws_*", "*[*", "*a*", "output.*"].map(
      (address) => [{ address }, undefined] as const,
    ),
    [{ attributes: ["*"] }, "edits"],
    [{ attributes: ["tags", "**"] }, "edits"],
    [{ address: "*_*", attributes: ["*"] }, "edits"],
    [{ attributes: ["tags*"] }, undefined],
    [{ attributes: ["*_*"] }, undefined],
    [{ address: "thing.*", attributes: ["*"] }, undefined],
  ];
  for (const [rule, expected] of rows)
    it(`are ${expected === undefined ? "not " : ""}${JSON.stringify(rule)}${expected === "edits" ? ", but for what is missing" : ""}`, () => {
      assert.equal(blindTo([rule]), expected);
      assert.equal(blindTo([{ address: "thing.a" }, rule]), expected, "beside another rule");
    });

  it("are also several that do so together, and none is not", () => {
    assert.equal(blindTo([]), undefined);
    assert.equal(blindTo([{ attributes: ["*"] }, { address: "*" }]), "everything");
    assert.equal(blindTo([{ attributes: ["a*", "*"] }, { address: "thing.*" }]), "edits");
  });
});
