import assert from "node:assert/strict";
import { z } from "zod";
import { listMap, rules } from "../../../operator/api/fields.ts";
import { customResourceDefinition, KINDS } from "../../../tools/generate/crds.ts";
import { type StructuralSchema, structuralSchemaOf } from "../../../tools/generate/structural.ts";

describe("a structural schema", () => {
  it("keeps descriptions, defaults, limits and what is required", () => {
    const schema = z.object({
      name: z.string().min(1).max(20).describe("Its name."),
      on: z.boolean().default(true).describe("Whether it is on."),
      more: z.array(z.string()).max(3).optional(),
    });
    assert.deepEqual(structuralSchemaOf(schema), {
      type: "object",
      required: ["name"],
      properties: {
        name: { description: "Its name.", type: "string", minLength: 1, maxLength: 20 },
        on: { description: "Whether it is on.", type: "boolean", default: true },
        more: { type: "array", maxItems: 3, items: { type: "string" } },
      },
    });
  });

  it("prints the limits of an integer that somebody chose, and no others", () => {
    assert.deepEqual(structuralSchemaOf(z.int()), { type: "integer", format: "int64" });
    assert.deepEqual(structuralSchemaOf(z.int().min(0).max(100)), {
      type: "integer",
      format: "int32",
      minimum: 0,
      maximum: 100,
    });
  });

  it("leaves the form of a time to the API server", () => {
    assert.deepEqual(structuralSchemaOf(z.iso.datetime()), { type: "string", format: "date-time" });
  });

  it("takes any JSON as it is", () => {
    const value = z.json().describe("Anything.").meta({ "x-kubernetes-preserve-unknown-fields": true });
    const expected = { description: "Anything.", "x-kubernetes-preserve-unknown-fields": true };
    assert.deepEqual(structuralSchemaOf(z.object({ value: value.optional() })).properties?.value, expected);
  });

  it("makes a rule with a sentence of a pattern that has one", () => {
    const schema = z
      .string()
      .regex(/^\d+'s$/)
      .meta({ refusal: "not so", bounds: "size(self) > 3" });
    assert.deepEqual(structuralSchemaOf(schema), {
      type: "string",
      "x-kubernetes-validations": [{ rule: "self.matches('^\\\\d+\\'s$') && size(self) > 3", message: "not so" }],
    });
  });

  it("keeps a pattern that has no sentence", () => {
    assert.equal(structuralSchemaOf(z.string().regex(/^a$/)).pattern, "^a$");
  });

  it("carries list maps, rules and oneOf over", () => {
    const item = z.object({ name: z.string() }).meta({ oneOf: [{ required: ["name"] }] });
    const schema = structuralSchemaOf(
      z.array(item).meta({ ...listMap("name"), ...rules({ rule: "self.size() > 0", message: "give one" }) }),
    );
    assert.equal(schema["x-kubernetes-list-type"], "map");
    assert.deepEqual(schema["x-kubernetes-list-map-keys"], ["name"]);
    assert.deepEqual(schema["x-kubernetes-validations"], [{ rule: "self.size() > 0", message: "give one" }]);
    assert.deepEqual(schema.items?.oneOf, [{ required: ["name"] }]);
  });

  it("refuses what a CRD cannot say", () => {
    assert.throws(() => structuralSchemaOf(z.union([z.string(), z.int()])), /a CRD cannot say anyOf/);
    assert.throws(() => structuralSchemaOf(z.email()), /a CRD does not know the format email/);
    assert.throws(() => structuralSchemaOf(z.string().meta({ refusal: "no" })), /has no pattern/);
  });
});

describe("the definitions", () => {
  /** Every schema with its path. */
  function* schemas(path: string, schema: StructuralSchema): Generator<readonly [string, StructuralSchema]> {
    yield [path, schema];
    for (const [name, child] of Object.entries(schema.properties ?? {})) yield* schemas(`${path}.${name}`, child);
    if (schema.items) yield* schemas(`${path}[]`, schema.items);
    if (schema.additionalProperties) yield* schemas(`${path}{}`, schema.additionalProperties);
  }

  for (const kind of KINDS) {
    const all = [
      ...schemas(`${kind.kind}.spec`, kind.spec),
      ...(kind.status === undefined ? [] : schemas(`${kind.kind}.status`, kind.status)),
    ];

    it(`describe every field of ${kind.kind}`, () => {
      const silent = all.filter(([path, schema]) => !/(\[\]|\{\})$/.test(path) && !schema.description);
      assert.deepEqual(
        silent.map(([path]) => path),
        [],
      );
    });

    it(`give every rule of ${kind.kind} a sentence`, () => {
      for (const [path, schema] of all) {
        for (const { message } of schema["x-kubernetes-validations"] ?? []) assert.match(message, /^[^\n]{10,}$/, path);
      }
    });

    it(`bound every list and map of ${kind.kind}'s spec that a person writes`, () => {
      if (kind.kind === "Run") return;
      const open = [...schemas("spec", kind.spec)].filter(
        ([, schema]) =>
          (schema.items && schema.maxItems === undefined && !schema.items.enum) ||
          (schema.additionalProperties && schema.maxProperties === undefined) ||
          (schema.type === "string" && schema.maxLength === undefined && !schema.enum),
      );
      assert.deepEqual(
        open.map(([path]) => path),
        [],
      );
    });
  }

  it("are of the group, with a status of its own where there is one, and stay when the chart goes", () => {
    for (const kind of KINDS) {
      const definition = customResourceDefinition(kind) as {
        metadata: { name: string; annotations: Record<string, string> };
        spec: { names: { categories: string[] }; versions: { subresources?: object }[] };
      };
      assert.equal(definition.metadata.name, `${kind.plural}.terrarium.dev`);
      assert.equal(definition.metadata.annotations["helm.sh/resource-policy"], "keep");
      assert.deepEqual(definition.spec.names.categories, ["terrarium"]);
      assert.deepEqual(
        definition.spec.versions[0]?.subresources,
        kind.status === undefined ? undefined : { status: {} },
      );
    }
  });
});
