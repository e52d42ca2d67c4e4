// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the templates are those of the engines' language
import assert from "node:assert/strict";
import { parse } from "@cdktn/hcl2json";
import fc from "fast-check";
import { HclUnreadable, literalString, readHcl } from "../../../operator/engine/hcl.ts";
import { readModule } from "../../../operator/engine/module.ts";
import { processorMs } from "../../fakes/processor-ms.ts";

const read = (files: Readonly<Record<string, string>>, engine: "opentofu" | "terraform" = "opentofu") =>
  readModule(new Map(Object.entries(files)), engine);

/** Texts in which a careless reader sees blocks that are not there, or misses some that are. */
const samples: readonly string[] = [
  "",
  '\uFEFFvariable "a" {}\n',
  'variable "a" { default = 1 }\nvariable "b" {}\n',
  'variable "a" {\r\n  default = "x"\r\n  sensitive = true\r\n}\r\n',
  '# variable "no" {}\n// variable "no" {}\n/* variable "no" {}\n*/ variable "yes" {}\n',
  'variable "a" { # }\n  default = "}" // {\n}\nvariable "b" {}\n',
  'locals {\n  a = "${"variable \\"no\\" {"}"\n  b = "$${ {{{"\n  c = "%%{ if {"\n}\nvariable "b" {}\n',
  'locals {\n  a = "${merge({a = "}"}, {b = "${1 + 1}}"})["a"]}"\n}\nvariable "b" {}\n',
  'locals {\n  a = <<EOF\nvariable "no" {\n  EOFX\n}\nEOF\n}\nvariable "b" {}\n',
  'locals {\n  a = <<-EOF\n    variable "no" {\n    ${join("", ["}", "{"])}\n    EOF\n}\nvariable "b" {}\n',
  'locals {\n  a = [<<A\nx }\nA\n  , <<B\n{\nB\n  ]\n}\nvariable "b" {}\n',
  'locals {\n  a = {\n    "k" = [1, 2, { x = "y" }]\n    (1) : 2\n  }\n  b = [for x in [1] : x if x > 0]\n}\noutput "o" { value = 1 }\n',
  'variable "a" {\n  type = object({\n    x = optional(string, "}")\n    y = list(number) # }\n  })\n  validation {\n    condition     = var.a.x != "{"\n    error_message = "no ${var.a.x}"\n  }\n}\n',
  'terraform {\n  required_version = ">= 1.5"\n  required_providers {\n    time = { source = "hashicorp/time", version = "~> 0.14" }\n    old = "1.0"\n  }\n  backend "s3" {\n    bucket = "x"\n  }\n}\n',
  'terraform {\n  cloud {\n    organization = "acme"\n    workspaces { name = "w" }\n  }\n}\n',
  'output "o" {\n  sensitive = true\n  value = <<-E\n  %{ for x in ["}"] ~}\n  ${x}\n  %{ endfor ~}\n  E\n}\n',
  'resource "a" "b" {\n  provisioner "local-exec" {\n    command = "echo \'{\' \\"}\\""\n  }\n  lifecycle { ignore_changes = all }\n}\nvariable "z" {}\n',
  'variable "größe" { default = "ü}" }\nvariable "a-b_c" {}\n',
  'variable "c" {\n  default = true ? "a" : "b" /* } */\n  /* x */ sensitive = /* y */ true\n}\n',
  "variable bare {\n}\n",
  'output "o" {\n  value = a.b[*].c["}"] == 1 && !(2 <= 3)\n}',
];

type Json = Readonly<Record<string, unknown>>;

/** The same facts from the complete parser. */
async function reference(text: string): Promise<unknown> {
  const root = (await parse("main.tf", text)) as Json;
  const blocks = (type: string, outer: Json = root) =>
    Object.entries((outer[type] ?? {}) as Record<string, Json[]>).map(([name, [body]]) => [name, body ?? {}] as const);
  const settings = ((root.terraform ?? []) as Json[])[0] ?? {};
  return {
    variables: blocks("variable")
      .map(([name, body]) => [name, "default" in body, body.sensitive === true])
      .sort(),
    outputs: blocks("output")
      .map(([name, body]) => [name, body.sensitive === true])
      .sort(),
    backend: "cloud" in settings ? "cloud" : Object.keys((settings.backend ?? {}) as Json)[0],
    providers: Object.keys(((settings.required_providers ?? []) as Json[])[0] ?? {}).sort(),
  };
}

function ours(text: string): unknown {
  const module = read({ "main.tf": text });
  assert.deepEqual(module.unreadable, []);
  return {
    variables: module.variables.map(({ name, hasDefault, sensitive }) => [name, hasDefault, sensitive]).sort(),
    outputs: module.outputs.map(({ name, sensitive }) => [name, sensitive]).sort(),
    backend: module.ownBackend?.type,
    providers: module.requiredProviders.map(({ name }) => name).sort(),
  };
}

/** Expressions built from the pieces that confuse readers, always well formed. */
const expression = fc.letrec<{ expr: string; inner: string }>((tie) => ({
  expr: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("1", "true", "null", '"}"', '"{ # //"', '"$${x}"', '"a\\"}"', "var.x", '"%%{"', '"$"', '"100%"'),
    tie("inner").map((inner) => `"a\${${inner}}b"`),
    tie("inner").map((inner) => `[${inner}, # ]\n ${inner}]`),
    tie("inner").map((inner) => `{ a = ${inner}\n "b" = 2 /* } */ }`),
    tie("inner").map((inner) => `upper(${inner})`),
    tie("inner").map((inner) => `(${inner} == 1 ? "{" : "}")`),
    tie("inner").map((inner) => `"%{ if ${inner} == 1 }x%{ endif }"`),
  ),
  inner: tie("expr") as fc.Arbitrary<string>,
})).expr;

const entry = fc.tuple(expression, fc.boolean(), fc.boolean()).map(([value, sensitive, heredoc]) => {
  const text = heredoc ? `<<-EOT\n  } \${upper("{")} "\n   EOTX\n  EOT\n` : `${value} // "\n`;
  return (name: string) => `variable "${name}" {\n  default = ${text}${sensitive ? "  sensitive = true\n" : ""}}\n`;
});

describe("a module's declarations", () => {
  for (const [at, sample] of samples.entries()) {
    it(`are read as the complete parser reads them (sample ${at})`, async () => {
      assert.deepEqual(ours(sample), await reference(sample));
    });
  }

  it("are read as the complete parser reads them, whatever the expressions", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 5 }), async (entries) => {
        const text = entries.map((make, at) => make(`v${at}`)).join("");
        assert.deepEqual(ours(text), await reference(text));
      }),
      { numRuns: 150 },
    );
  }).timeout(30_000);

  it("never make the reader fail otherwise than by saying where", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      '"',
      "${",
      "<<A\n",
      "A\n",
      "#",
      "/*",
      "*/",
      "\n",
      "x",
      "=",
      " ",
      "\\",
      "[",
      ")",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        try {
          readHcl(parts.join(""));
        } catch (error) {
          assert.ok(error instanceof HclUnreadable && error.line >= 1);
        }
      }),
      { numRuns: 3000 },
    );
    assert.throws(() => readHcl(`a = ${"[".repeat(100_000)}`), HclUnreadable);
    assert.throws(() => readHcl("a {\n".repeat(100_000)), HclUnreadable);
  });

  it("name the file and line of the module's own backend", () => {
    const text = '\nterraform {\n  # here\n  backend "s3" {}\n}\n';
    assert.deepEqual(read({ "main.tf": "", "versions.tf": text }).ownBackend, {
      type: "s3",
      file: "versions.tf",
      line: 4,
    });
    assert.equal(read({ "a.tf.json": '{"terraform": [{"backend": {"gcs": {}}}]}' }).ownBackend?.type, "gcs");
    assert.equal(read({ "x_override.tf": "terraform {\n  cloud {}\n}" }).ownBackend?.type, "cloud");
  });

  it("ignore files that an engine ignores", () => {
    const own = 'variable "x" {}';
    assert.deepEqual(
      read({ ".hidden.tf": own, "a.tf~": own, "#a.tf#": own, "a.txt": own, "sub/a.tf": own }).variables,
      [],
    );
    assert.deepEqual(read({ "a.tofu": own }, "terraform").variables, []);
    assert.deepEqual(
      read({ "a.tofu": own, "a.tf": 'variable "y" {}' }).variables.map(({ name }) => name),
      ["x"],
    );
  });

  it("are changed by override files, attribute by attribute", () => {
    const { variables } = read({
      "a_override.tf": 'variable "x" {\n  default = 1\n}\n',
      "main.tf": 'variable "x" {\n  type = list( string )\n  sensitive = true\n  nullable = false\n}\n',
      "override.tf.json": '{"variable": {"x": {"ephemeral": true}}}',
    });
    assert.deepEqual(variables, [
      {
        name: "x",
        hasDefault: true,
        sensitive: true,
        ephemeral: true,
        nullable: false,
        type: "list(string)",
        file: "main.tf",
        line: 1,
      },
    ]);
  });

  it("are read from JSON, too", () => {
    const { variables, outputs, requiredProviders } = read({
      "main.tf.json": JSON.stringify({
        "//": "a comment",
        variable: { a: { type: "string", default: null }, b: [{ sensitive: true }], "//": "x" },
        output: [{ o: { value: 1, sensitive: "true" } }],
        terraform: { required_providers: { time: { source: "hashicorp/time", version: "0.14" } } },
      }),
    });
    assert.deepEqual(
      variables.map(({ name, hasDefault, sensitive }) => [name, hasDefault, sensitive]),
      [
        ["a", true, false],
        ["b", false, true],
      ],
    );
    assert.deepEqual(outputs, [{ name: "o", sensitive: true }]);
    assert.deepEqual(requiredProviders, [{ name: "time", source: "hashicorp/time", version: "0.14" }]);
  });

  it("keep the other files when one has an error", () => {
    const module = read({ "bad.tf": 'variable "a" {\n', "bad.tf.json": "{", "good.tf": 'variable "b" {}' });
    assert.deepEqual(
      module.unreadable.map(({ file }) => file),
      ["bad.tf", "bad.tf.json"],
    );
    assert.deepEqual(
      module.variables.map(({ name }) => name),
      ["b"],
    );
  });

  it("give providers with source and version", () => {
    const text =
      'terraform {\n  required_providers {\n    a = {\n      source  = "x/a"\n      version = "1"\n    }\n    b = "2"\n  }\n}\n';
    assert.deepEqual(read({ "main.tf": text }).requiredProviders, [
      { name: "a", source: "x/a", version: "1" },
      { name: "b", version: "2" },
    ]);
  });

  it("are read from a large file in one pass", () => {
    const text = Array.from({ length: 20_000 }, (_, at) => `variable "v${at}" {\n  default = "x"\n}\n`).join("");
    const began = processorMs();
    assert.equal(read({ "main.tf": text }).variables.length, 20_000);
    assert.ok(processorMs() - began < 1500);
  });
});

describe("a literal string", () => {
  it("has its escapes resolved and no templates", () => {
    assert.equal(literalString('"a\\"b\\n"'), 'a"b\n');
    assert.equal(literalString('"$${x}"'), "${x}");
    assert.equal(literalString('"${x}"'), undefined);
    assert.equal(literalString("x"), undefined);
  });
});
