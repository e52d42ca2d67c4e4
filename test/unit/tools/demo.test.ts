import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { parse, parseAllDocuments } from "yaml";
import { environmentSpec } from "../../../operator/api/environment.ts";
import { checkout } from "../../../tools/bundle.ts";
import { misplacedOptions, OPTIONS, staleDependencies } from "../../../tools/demo/bootstrap.mjs";
import { showNextSteps } from "../../../tools/demo/ending.ts";
import { chartValues } from "../../../tools/demo/operator.ts";
import { parseOptions, UsageError } from "../../../tools/demo/options.ts";
import { isReady, type WatchedEnvironment } from "../../../tools/demo/progress.ts";
import { dependencies, depths, renderTree, renderTroubles, type ShownEnvironment } from "../../../tools/demo/tree.ts";

const read = (path: string) => readFile(join(checkout, path), "utf8");
const shop = async () => parse(await read("examples/shop/environment.yaml"));

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

describe("the options of the demo", () => {
  it("ask for a local cluster unless a context is given", () => {
    assert.deepEqual(parseOptions([]), { place: { type: "local", name: "terrarium" }, engine: "opentofu", acts: 1 });
    assert.deepEqual(parseOptions(["--context", "kind", "--registry", "localhost:5001/me", "--engine", "terraform"]), {
      place: { type: "own", context: "kind", registry: "localhost:5001/me" },
      engine: "terraform",
      acts: 1,
    });
    assert.equal(parseOptions(["--act", "2"])?.acts, 2);
    assert.equal(parseOptions(["--help"]), undefined);
  });

  it("say what is wrong with them", () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [["--context", "kind"], /--context needs --registry/],
      [["--act", "3"], /--act 3: 1 or 2/],
      [["--registry", "host/path"], /--registry needs --context/],
      [["--context", "kind", "--registry", "https://host/path"], /without https/],
      [["--context", "kind", "--registry", "host/path:1.0"], /without a tag/],
      [["--name", "a", "--context", "b", "--registry", "c"], /only one/],
      [["--engine", "pulumi"], /opentofu or terraform/],
      [["--speed", "fast"], /--speed/],
    ];
    for (const [args, message] of cases) {
      assert.throws(
        () => parseOptions(args),
        (error) => error instanceof UsageError && message.test(error.message),
        args.join(" "),
      );
    }
  });

  it("become chart values that name every image by digest", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const runners = ["opentofu", "terraform"].map((name) => ({ name, version: "1", image: `r@${digest}` }));
    const values = chartValues({ operator: { repository: "o", digest }, gitserver: `g@${digest}`, runners });
    assert.match(JSON.stringify(values), /"image":\{"repository":"o","digest":"sha256:0+"\}/);
    assert.match(JSON.stringify(values), /"name":"opentofu","version":"1","image":"r@sha256:0+","default":true/);
  });
});

describe("the progress of the demo", () => {
  const environment = (components: NonNullable<ShownEnvironment["status"]>["components"]): ShownEnvironment => ({
    spec: {
      components: [
        { name: "app", dependsOn: ["database"], terraform: { variables: [uses("catalog")] } },
        { name: "database", terraform: { variables: [uses("network")] } },
        { name: "catalog", terraform: { variables: [uses("network"), { name: "plain" }] } },
        { name: "network" },
      ],
    },
    status: { components: components ?? [] },
  });
  const uses = (component: string) => ({ name: "x", valueFrom: { output: { component, name: "y" } } });
  const plain = (lines: readonly string[]) => lines.map((line) => stripVTControlCharacters(line).trimEnd());

  it("puts what is needed above what needs it", () => {
    const lines = plain(renderTree(environment([])));
    assert.deepEqual(
      lines.map((line) => line.replace(/^( *). (\S+).*$/, "$1$2")),
      ["network", "  database", "  catalog", "    app"],
    );
    assert.match(lines[3] ?? "", /Pending +after database, catalog$/);
  });

  it("tells what a component does, did, or complains about", () => {
    const plan = { create: 3, update: 0, replace: 1, delete: 0 };
    const lines = plain(
      renderTree(
        environment([
          { name: "network", state: "Ready", plan },
          { name: "catalog", state: "Applying", run: "r1" },
          { name: "database", state: "Failed", message: "The password\nis too short" },
        ]),
        new Map([["r1", { step: "apply", done: 40, total: 101, current: "terraform_data.plant[7]" }]]),
      ),
    );
    assert.match(lines[0] ?? "", /Ready +3 created, 1 replaced$/);
    assert.match(lines[1] ?? "", /Failed +The password is too short$/);
    assert.match(lines[2] ?? "", /Applying +apply 40\/101 · terraform_data\.plant\[7\]$/);
  });

  it("tells what has failed to its end, when it is tried again, and what to do", () => {
    const message = `network: main.tf:3: Unclosed configuration block: ${"it goes on and on ".repeat(20)}until https://${"x".repeat(70)}/here`;
    const failed = (state: string, retryAt?: string): ShownEnvironment => ({
      ...environment([]),
      status: {
        components: [
          { name: "network", state, message: "cut …", run: "r1", ...(retryAt === undefined ? {} : { retryAt }) },
        ],
        conditions: [{ type: "Ready", status: "False", reason: "ConfigurationInvalid", message }],
      },
    });
    const troubles = renderTroubles(failed("Failed", "2026-01-01T12:34:56Z"), 60);
    assert.ok(
      troubles.every((line) => line.length <= 60),
      "within the terminal",
    );
    const text = troubles.join("").replaceAll(" ", "");
    assert.ok(text.startsWith(message.replaceAll(" ", "")), "nothing is left out");
    assert.match(text, /Thenexttrybeginsat12:34:56UTC\..*runthedemoagain/);
    assert.match(renderTroubles(failed("Interrupted")).join(" "), /Nothing is tried again by itself/);
    assert.deepEqual(renderTroubles(failed("Planning")), []);
    const earlier = renderTroubles(failed("Failed", "2026-01-01T12:34:56Z"), 60, new Set(["r1"])).join(" ");
    assert.match(earlier, /The try before this one: network: .* The next try begins at 12:34:56 UTC\.$/);
  });

  it("ends for a cycle, which is the operator's to report", () => {
    const cycle = new Map([
      ["a", ["b"]],
      ["b", ["a"]],
    ]);
    assert.equal(depths(cycle).size, 2);
  });

  it("is over when the status speaks of this generation and of the commit that was pushed, and says Ready", () => {
    const watched = (observedGeneration: number, ready: "True" | "False", commits: readonly string[]) => {
      const components = commits.map((commit) => ({ name: commit, state: "Ready", revision: `main@sha1:${commit}` }));
      const conditions = [{ type: "Ready", status: ready, reason: "Applied", message: "" }];
      return {
        metadata: { name: "shop", namespace: "team-shop", generation: 2 },
        spec: { components: [] },
        status: { observedGeneration, conditions, components },
      } satisfies WatchedEnvironment;
    };
    assert.equal(isReady(watched(2, "True", ["a1", "a1"]), "a1"), true);
    assert.equal(isReady(watched(1, "True", ["a1", "a1"]), "a1"), false);
    assert.equal(isReady(watched(2, "False", ["a1", "a1"]), "a1"), false);
    assert.equal(isReady(watched(2, "True", ["a1", "a0"]), "a1"), false, "one component is still of the commit before");
  });
});

describe("the end of the demo", () => {
  const said = (local: string | undefined): string => {
    const lines: string[] = [];
    showNextSteps("export KUBECONFIG=here", local, (text) => lines.push(stripVTControlCharacters(text)));
    return lines.join("\n");
  };

  it("says how a local cluster goes, by its name", () => {
    assert.match(said("terrarium"), /Take all away +npm run cluster down$/m);
    assert.match(said("second"), /Take all away +npm run cluster down -- --name second$/m);
  });

  it("takes what holds for the whole cluster away from a cluster of one's own, too", async () => {
    assert.match(said(undefined), /Take all away +as docs\/operations\.md#uninstall/);
    assert.match(said(undefined), /kubectl delete .*-f examples\/shop\/team\.yaml$/m);
    assert.match(await read("docs/operations.md"), /^## Uninstall$/m);
  });

  it("leads to the removal of every definition of the chart", async () => {
    const files = await readdir(join(checkout, "charts/terrarium/templates/crds"));
    const [, names = ""] = /^kubectl delete crd (.*)$/m.exec(await read("docs/operations.md")) ?? [];
    assert.deepEqual(
      names.split(" ").toSorted(),
      files.map((file) => file.replace(".yaml", ".terrarium.dev")).toSorted(),
    );
  });
});

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
