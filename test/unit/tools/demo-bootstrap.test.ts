import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkout } from "../../../tools/bundle.ts";
import { misplacedOptions, OPTIONS, staleDependencies } from "../../../tools/demo/bootstrap.mjs";

const read = (path: string) => readFile(join(checkout, path), "utf8");

describe("the start from a fresh clone", () => {
  let folder: string;
  const lock = async (path: string, packages: object) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), JSON.stringify({ packages }));
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bootstrap-"));
    await mkdir(join(folder, "node_modules/node/bin"), { recursive: true });
    await writeFile(join(folder, "node_modules/node/bin/node"), "");
    await lock("package-lock.json", { "": {}, a: { version: "1.0.0" }, mac: { version: "1.0.0", optional: true } });
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("installs when there is nothing, or another version than the lock file has", async () => {
    assert.match(staleDependencies(folder) ?? "", /no node_modules/);
    await lock("node_modules/.package-lock.json", { a: { version: "0.9.0" } });
    assert.match(staleDependencies(folder) ?? "", /^a is not the version/);
  });

  it("installs nothing when all is there, but for the optional packages of other systems", async () => {
    await lock("node_modules/.package-lock.json", { a: { version: "1.0.0" } });
    assert.equal(staleDependencies(folder), undefined);
  });
});

describe("options that npm took for its own", () => {
  const cases: readonly (readonly [typed: string, script: string, args: string[], config: object, hint: string])[] = [
    [
      "npm run cluster down --name second",
      "tools/cluster/main.ts",
      ["down"],
      { name: "second" },
      "npm run cluster -- down --name second",
    ],
    ["npm run demo --context X", "tools/demo/main.ts", ["X"], { context: "true" }, "npm run demo -- --context NAME"],
    [
      "npm run demo --act=2 --name=b",
      "tools/demo/main.ts",
      [],
      { act: "2", name: "b" },
      "npm run demo -- --name b --act 2",
    ],
    ["npm test --suite unit", "tools/test.ts", ["unit"], { suite: "true" }, "npm test -- --suite NAME"],
    [
      "npm test --suite=unit --suite=faults",
      "tools/test.ts",
      [],
      { suite: "unit\n\nfaults" },
      "npm test -- --suite unit --suite faults",
    ],
    ["npm test --keep", "tools/test.ts", [], { keep: "true" }, "npm test -- --keep"],
    ["npm test --jobs 3", "tools/test.ts", ["3"], { jobs: "true" }, "npm test -- --jobs N"],
    ["npm run mutants --list M07", "tools/mutants/main.ts", ["M07"], { list: "true" }, "npm run mutants -- M07 --list"],
  ];
  const environment = (typed: string, config: object) => ({
    npm_lifecycle_event: typed.replace("npm ", "").replace("run ", "").split(" ")[0],
    ...Object.fromEntries(Object.entries(config).map(([name, value]) => [`npm_config_${name}`, value])),
  });

  for (const [typed, script, args, config, hint] of cases) {
    it(`are given back: ${typed}`, () => {
      const said = misplacedOptions(script, args, environment(typed, config)) ?? "";
      assert.ok(said.endsWith(` Put -- before the options: ${hint}`), said);
    });
  }

  it("are not suspected where npm's own settings are, or where they have arrived", () => {
    const own = { registry: "https://mirror/", json: "true", engine_strict: "true", jobs: "max", name: "" };
    for (const script of Object.keys(OPTIONS)) {
      assert.equal(misplacedOptions(script, [], environment("npm run demo", own)), undefined);
    }
    const taken = environment("npm run demo", { name: "second" });
    assert.equal(misplacedOptions("tools/demo/main.ts", ["--name", "second"], taken), undefined);
    assert.equal(misplacedOptions("tools/check.ts", [], taken), undefined);
    assert.equal(misplacedOptions("tools/demo/main.ts", [], { npm_config_name: "second" }), undefined);
  });

  it("can be any that a script has", async () => {
    for (const [script, names] of Object.entries(OPTIONS)) {
      const beside = script === "tools/test.ts" ? "tools/test/options.ts" : join(dirname(script), "options.ts");
      const texts = await Promise.all([script, beside].map((file) => read(file).catch(() => "")));
      const found = texts.join("\n").matchAll(/^ +(\w+): \{ type: "(string|boolean)"/gm);
      const options = new Map(Array.from(found, ([, name = "", type = ""]) => [name, type]));
      for (const name of ["help", "registry", "json"]) options.delete(name);
      const known = Object.entries(names).map(([name, value]) => [name, value === "" ? "boolean" : "string"] as const);
      assert.deepEqual(new Map(known), options, script);
    }
  });
});
