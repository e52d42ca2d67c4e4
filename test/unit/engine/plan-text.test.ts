import assert from "node:assert/strict";
import fc from "fast-check";
import { NotAPlan, parsePlanText } from "../../../operator/engine/plan-document.ts";
import { PLAN_TEXT_BYTES, renderPlan } from "../../../operator/engine/plan-text.ts";
import { driftedEngines, fixture, recordedEngines } from "./fixture.ts";

interface Change {
  readonly actions: readonly string[];
  readonly [field: string]: unknown;
}

const aChange = (change: Change, fields: object = {}) => ({ address: "thing.a", type: "thing", ...fields, change });
const aPlan = (changes: readonly object[], rest: object = {}) => ({
  format_version: "1.2",
  resource_changes: changes,
  ...rest,
});
const show = (change: Change, fields: object = {}) => renderPlan(aPlan([aChange(change, fields)]));
const update = (before: object, after: object, more: object = {}) => ({ actions: ["update"], before, after, ...more });

describe("a readable plan", () => {
  for (const engine of recordedEngines) {
    const read = (name: string) => renderPlan(JSON.parse(fixture(engine, name)));

    it(`of ${engine} shows what changes, what destroys first`, () => {
      const text = read("plan-change.json");
      const headings = text.split("\n").filter((line) => line.startsWith("  # ") && !line.startsWith("  # ("));
      assert.deepEqual(headings, [
        "  # terraform_data.extra[1] will be destroyed",
        "  # terraform_data.replaced must be replaced",
        "  # terraform_data.changed will be updated in place",
        "  # terraform_data.hidden will be updated in place",
        "  # plain",
      ]);
      assert.match(text, /^Plan: 0 to create, 2 to update, 1 to replace, 1 to destroy\.$/m);
      assert.match(text, /^ {2}~ resource "terraform_data" "changed" \{$/m);
      assert.match(text, /^ {6}~ input {2}= "one" -> "two"$/m);
      assert.match(text, /^ {6}~ output = "one" -> \(known after apply\)$/m);
      assert.match(text, /^-\/\+ resource "terraform_data" "replaced" \{$/m);
      assert.match(text, /^ {6}~ triggers_replace = \[ # forces replacement$/m);
      assert.match(text, /^ {6}~ input {2}= \(sensitive value\)$/m);
    });

    it(`of ${engine} has no sensitive value, also where the provider repeats it unmarked`, () => {
      for (const name of ["plan-create.json", "plan-change.json", "plan-destroy.json", "plan-empty.json"]) {
        assert.match(fixture(engine, name), /canary/);
        assert.doesNotMatch(read(name), /canary/);
      }
      assert.match(read("plan-create.json"), /^ {2}\+ hidden = \(sensitive value\)$/m);
    });

    it(`of ${engine} that changes nothing says so`, () => {
      assert.match(read("plan-empty.json"), /^Nothing changes\.$/m);
      assert.match(read("plan-output.json"), /^ {2}\+ o = 1$/m);
    });
  }

  for (const engine of driftedEngines) {
    it(`of ${engine} tells what is gone`, () => {
      const text = renderPlan(JSON.parse(fixture(engine, "plan-drift.json")));
      assert.match(text, /# local_file\.made will be created/);
      assert.match(text, /Changed in the world since the last apply:\n\n {2}# local_file\.made is gone\n$/);
    });
  }

  it("goes down into objects and lists, and counts what stays the same", () => {
    const before = { tags: { Owner: "me", "k8s.io/x": "1" }, disks: [{ size: 1, type: "a" }, { size: 3 }], gone: "x" };
    const after = { tags: { Owner: "you", "k8s.io/x": "1" }, disks: [{ size: 2, type: "a" }, { size: 3 }], gone: null };
    assert.equal(
      show(update(before, after, { after_unknown: { arn: true } })),
      `Plan: 0 to create, 1 to update, 0 to replace, 0 to destroy.

Changes:

  # thing.a will be updated in place
  ~ resource "thing" "a" {
      + arn   = (known after apply)
      ~ disks = [
          ~ {
              ~ size = 1 -> 2
                # (1 unchanged value hidden)
            }
            # (1 unchanged element hidden)
        ]
      - gone  = "x" -> null
      ~ tags  = {
          ~ Owner = "me" -> "you"
            # (1 unchanged value hidden)
        }
    }
`,
    );
  });

  it("names moves, imports, what is forgotten and what is only read", () => {
    assert.match(
      show({ actions: ["no-op"] }, { previous_address: "thing.b" }),
      /# thing\.a moves\n {2}# \(moved from thing\.b\)/,
    );
    assert.match(show({ actions: ["no-op"], importing: { id: "x" } }), /# thing\.a will be imported/);
    assert.match(show({ actions: ["forget"], before: { a: 1 } }), /no longer be managed, and will not be destroyed/);
    assert.match(
      show({ actions: ["read"], after: { a: 1 } }, { address: "data.thing.a" }),
      / <= data "thing" "a" \{\n {6}\+ a = 1/,
    );
    assert.match(show({ actions: ["create", "delete"], before: { a: 1 }, after: { a: 2 } }), /^\+\/- resource/m);
    assert.match(
      show({ actions: ["delete"], before: {} }, { action_reason: "delete_because_no_resource_config" }),
      /\(because it is not in the configuration any more\)/,
    );
    assert.match(show({ actions: ["delete"], before: {} }, { deposed: "0a1b" }), /thing\.a \(deposed object 0a1b\)/);
  });

  it("has a section for what was changed in the world", () => {
    const resource_drift = [
      aChange(update({ size: 1 }, { size: 2 })),
      aChange({ actions: ["delete"], before: { size: 1 } }, { address: "thing.b" }),
    ];
    const text = renderPlan(aPlan([], { resource_drift }));
    assert.match(text, /Changed in the world since the last apply:\n\n {2}# thing\.a was changed/);
    assert.match(text, /~ size = 1 -> 2/);
    assert.match(text, /# thing\.b is gone/);
  });

  it("hides what becomes sensitive as well as what was", () => {
    for (const mark of ["before_sensitive", "after_sensitive"]) {
      const text = show(update({ a: { b: "old-canary" } }, { a: { b: "new-canary" } }, { [mark]: { a: { b: true } } }));
      assert.match(text, /~ b = \(sensitive value\)/);
    }
  });

  it("hides sensitive variables wherever they turn up", () => {
    const rest = {
      variables: { token: { value: "canary-7f3a" }, plain: { value: "visible" } },
      configuration: { root_module: { variables: { token: { sensitive: true }, plain: {} } } },
    };
    const change = aChange({ actions: ["create"], after: { header: "Bearer canary-7f3a", other: "visible" } });
    const text = renderPlan(aPlan([change], rest));
    assert.match(text, /"Bearer \(sensitive value\)"/);
    assert.match(text, /"visible"/);
  });

  it("leaves no half of a sensitive value where a long value is cut", () => {
    const secret = "canary-".repeat(40);
    const long = `${"x".repeat(450)}${secret}${"y".repeat(5000)}`;
    const text = show({ actions: ["create"], after: { secret, long }, after_sensitive: { secret: true } });
    assert.doesNotMatch(text, /canary/);
    assert.match(text, /… \(cut\)/);
  });

  it("stays within its size, with whole resources first and the names of others", () => {
    const after = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`attribute_${at}`, "x".repeat(100)]));
    const many = Array.from({ length: 5_000 }, (_, at) =>
      aChange({ actions: ["create"], after }, { address: `thing.a[${at}]` }),
    );
    const text = renderPlan(aPlan(many));
    assert.ok(Buffer.byteLength(text) <= PLAN_TEXT_BYTES, `${Buffer.byteLength(text)} bytes`);
    assert.ok(Buffer.byteLength(text) > PLAN_TEXT_BYTES * 0.9);
    assert.match(text, /TRUNCATED: \d+ parts are shown by their heading only, and \d+ are left out\.\n$/);
    const shown = text.match(/^ {2}\+ resource/gm)?.length;
    assert.equal(text.match(/^ {4}\}$/gm)?.length, shown);
  });

  it("shows a small change after one that is too large", () => {
    const wide = Object.fromEntries(Array.from({ length: 4_000 }, (_, at) => [`attribute_${at}`, "x".repeat(100)]));
    const text = renderPlan(
      aPlan([
        aChange({ actions: ["delete"], before: wide }),
        aChange({ actions: ["create"], after: { a: 1 } }, { address: "thing.b" }),
      ]),
    );
    assert.match(text, /# thing\.a will be destroyed \(not shown in full\)/);
    assert.match(text, /\+ a = 1/);
  });

  it("of 6,000 resources is written quickly", () => {
    const before = { id: "x", text: "y".repeat(2000), token: "canary-7f3a" };
    const change = update(before, { ...before, id: "z" }, { before_sensitive: { token: true } });
    const began = performance.now();
    renderPlan(aPlan(Array.from({ length: 6_000 }, () => aChange(change))));
    const took = performance.now() - began;
    assert.ok(took < 1_500, `took ${took} ms`);
  });

  it("is not made of what is no plan", () => assert.throws(() => renderPlan({ format_version: "7" }), NotAPlan));
});

/** A value with marks for what of it is sensitive; every sensitive text in it begins with the canary. */
interface Marked {
  readonly value: unknown;
  readonly mark: unknown;
}

const hex = fc.integer({ min: 0x1000, max: 0xffff }).map((n) => n.toString(16));
const canary = fc
  .tuple(fc.constantFrom("", "\n", '"', "\\", "ü"), hex, fc.nat(700))
  .map(([odd, id, length]) => `CANARY${odd}${id}${"-".repeat(length)}`);
const harmless = fc.oneof(fc.string({ maxLength: 8 }), fc.integer(), fc.boolean(), fc.constant(null));

const { marked } = fc.letrec<{ marked: Marked }>((tie) => ({
  marked: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    harmless.map((value) => ({ value, mark: false })),
    canary.map((value) => ({ value, mark: true })),
    fc.array(canary, { maxLength: 2 }).map((value) => ({ value, mark: true })),
    fc.array(tie("marked"), { maxLength: 3 }).map((items) => ({
      value: items.map(({ value }) => value),
      mark: items.map(({ mark }) => mark),
    })),
    fc
      .dictionary(
        fc.string({ maxLength: 5 }).filter((key) => key !== "__proto__"),
        tie("marked"),
        { maxKeys: 3 },
      )
      .map((items) => ({
        value: Object.fromEntries(Object.entries(items).map(([key, { value }]) => [key, value])),
        mark: Object.fromEntries(Object.entries(items).map(([key, { mark }]) => [key, mark])),
      })),
  ),
}));

const attributes = fc.dictionary(fc.constantFrom("a", "b", "c", "tags"), marked, { maxKeys: 4 }).map((items) => ({
  value: Object.fromEntries(Object.entries(items).map(([key, { value }]) => [key, value])),
  mark: Object.fromEntries(Object.entries(items).map(([key, { mark }]) => [key, mark])),
}));

function canariesIn(value: unknown, mark: unknown): string[] {
  if (mark === true) return [value].flat().filter((item): item is string => typeof item === "string");
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => canariesIn(item, (mark as Record<string, unknown>)?.[key]));
}

describe("an integer above 2^53 in a readable plan", () => {
  const shown = (change: string) =>
    renderPlan(
      parsePlanText(`{"format_version": "1.2", "resource_changes": [{"address": "thing.a", "type": "thing", "change":
        {"actions": ["update"], ${change}}}]}`),
    );

  it("keeps all of its digits, and stays a number", () => {
    const text = shown('"before": {"ids": [9007199254740993, 1]}, "after": {"ids": [9007199254740992, 1]}');
    assert.match(text, /^ +~ 9007199254740993 -> 9007199254740992$/m);
    const other = shown('"before": {"id": 9007199254740993}, "after": {"id": "9007199254740993"}');
    assert.match(other, /9007199254740993 -> "9007199254740993"/);
  });

  it("is hidden where it is sensitive, and wherever else it stands", () => {
    const text =
      shown(`"before": {"pin": 1, "other": 1}, "after": {"pin": 12345678901234567890, "other": 12345678901234567890},
      "after_sensitive": {"pin": true}`);
    assert.doesNotMatch(text, /1234567890/);
  });
});

describe("no plan shows a sensitive value", () => {
  it("whatever its shape, wherever the value is repeated", () => {
    const changes = fc.array(
      fc.tuple(
        fc.constantFrom(["create"], ["update"], ["delete"], ["delete", "create"], ["read"]),
        attributes,
        attributes,
        fc.nat(600),
      ),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(changes, marked, (list, output) => {
        const secrets = [
          ...list.flatMap(([, old, now]) => [...canariesIn(old.value, old.mark), ...canariesIn(now.value, now.mark)]),
          ...canariesIn(output.value, output.mark),
        ];
        const resources = list.map(([actions, old, now, length], at) =>
          aChange(
            {
              actions,
              before: { ...old.value, repeated: `${"x".repeat(length)}${secrets.join("")}` },
              after: { ...now.value, repeated: JSON.stringify({ secrets }), list: secrets },
              before_sensitive: old.mark,
              after_sensitive: now.mark,
            },
            { address: `thing.a[${JSON.stringify(secrets[0] ?? at)}]` },
          ),
        );
        const output_changes = {
          o: { actions: ["create"], before: null, after: output.value, after_sensitive: output.mark },
        };
        const text = renderPlan(aPlan(resources, { output_changes, resource_drift: resources }));
        assert.doesNotMatch(text, /CANARY/);
      }),
      { numRuns: 300 },
    );
  });
});
