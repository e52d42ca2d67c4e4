import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { environmentSpec } from "../../../operator/api/environment.ts";
import { checkout } from "../../../tools/bundle.ts";
import { dependencies } from "../../../tools/demo/tree.ts";

const read = (path: string) => readFile(join(checkout, path), "utf8");
const shop = async () => parse(await read("examples/shop/environment.yaml"));

describe("the examples", () => {
  it("are Environments that the API accepts", async () => {
    for (const example of ["shop", "hello"]) {
      const { spec } = parse(await read(`examples/${example}/environment.yaml`));
      assert.equal(environmentSpec.safeParse(spec).error, undefined, example);
    }
  });

  it("have a diamond in the shop", async () => {
    const needs = dependencies(await shop());
    assert.deepEqual(needs.get("database"), ["network"]);
    assert.deepEqual(needs.get("catalog"), ["network"]);
    assert.deepEqual(new Set(needs.get("app")), new Set(["network", "database", "catalog"]));
  });

  it("give every module of the shop the variables that it requires, and no unknown ones", async () => {
    const { spec } = await shop();
    const common: string[] = spec.variables.map(({ name }: { name: string }) => name);
    for (const component of spec.components) {
      const { declared, required } = await variablesOf(component.terraform.path);
      const own: string[] = component.terraform.variables.map(({ name }: { name: string }) => name);
      for (const name of own) assert.ok(declared.has(name), `${component.name} declares no variable ${name}`);
      for (const name of required) assert.ok([...own, ...common].includes(name), `${component.name} gets no ${name}`);
    }
  });

  it("use only outputs that the modules of the shop have", async () => {
    const environment = await readFile(join(checkout, "examples/shop/environment.yaml"), "utf8");
    const references = [...environment.matchAll(/output: \{component: ([\w-]+), name: (\w+)\}/g)];
    assert.ok(references.length > 10);
    for (const [, component = "", name] of references) {
      const text = await read(`examples/shop/infra/${component}/main.tf`);
      assert.match(text, new RegExp(`^output "${name}"`, "m"), `${component}.${name}`);
    }
  });

  it("keep what the shop refers to in the manifests of its team", async () => {
    const { spec } = await shop();
    const team = parseAllDocuments(await read("examples/shop/team.yaml")).map((document) => document.toJS());
    const has = (kind: string, name: string) => team.some((one) => one.kind === kind && one.metadata.name === name);
    for (const { secretRef } of spec.credentials) assert.ok(has("Secret", secretRef.name), secretRef.name);
    for (const { valueFrom } of spec.variables) {
      if (valueFrom?.secretKeyRef) assert.ok(has("Secret", valueFrom.secretKeyRef.name));
      if (valueFrom?.configMapKeyRef) assert.ok(has("ConfigMap", valueFrom.configMapKeyRef.name));
    }
  });
});

async function variablesOf(path: string): Promise<{ declared: Set<string>; required: Set<string> }> {
  const folder = `examples/shop/infra/${path}`;
  const files = (await readdir(join(checkout, folder))).filter((file) => file.endsWith(".tf"));
  const text = (await Promise.all(files.map((file) => read(`${folder}/${file}`)))).join("\n");
  const blocks = [...text.matchAll(/^variable "(\w+)" \{\n([\s\S]*?)^\}/gm)];
  const required = blocks.filter(([, , body = ""]) => !/^ {2}default\s+=/m.test(body));
  return {
    declared: new Set(blocks.map(([, name = ""]) => name)),
    required: new Set(required.map(([, name = ""]) => name)),
  };
}
