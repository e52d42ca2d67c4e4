import assert from "node:assert/strict";
import fc from "fast-check";
import { applyArguments, initArguments, planArguments, UnsafeArgument } from "../../../operator/engine/arguments.ts";
import {
  backendEnvironment,
  backendOverride,
  backendOverrideName,
  initialisedBackend,
} from "../../../operator/engine/backend.ts";
import { baseEnvironment, filterEnvironment, isReservedVariable } from "../../../operator/engine/environment.ts";
import { readModule } from "../../../operator/engine/module.ts";
import { isOverrideFile, moduleFileKind } from "../../../operator/engine/names.ts";
import {
  missingVariablesMessage,
  undeclaredVariablesMessage,
  variableFile,
} from "../../../operator/engine/variables.ts";

describe("arguments", () => {
  it("never ask, never colour, and plan into a file", () => {
    assert.deepEqual(planArguments({ mode: "Destroy", out: "/out/p", variableFile: "/in/v.json" }), [
      ...["plan", "-input=false", "-no-color", "-json", "-lock-timeout=60s"],
      ...["-out=/out/p", "-var-file=/in/v.json", "-destroy"],
    ]);
    assert.deepEqual(initArguments(), ["init", "-input=false", "-no-color"]);
    assert.ok(initArguments({ keepModules: true }).includes("-get=false"));
  });

  it("of apply end with the plan, and approve nothing else", () => {
    const args = applyArguments({ plan: "/out/p" });
    assert.equal(args.at(-1), "/out/p");
    assert.ok(!args.includes("-auto-approve"));
  });

  it("refuse a path that could be an option", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.startsWith("/") || text.includes("\0"));
        assert.throws(() => applyArguments({ plan: text }), UnsafeArgument);
        assert.throws(() => planArguments({ mode: "Normal", out: text }), UnsafeArgument);
      }),
    );
  });
});

describe("the backend", () => {
  it("is http, without a setting that could be printed", () => {
    assert.deepEqual(
      readModule(new Map([["x_override.tf.json", backendOverride]]), "terraform").ownBackend?.type,
      "http",
    );
  });

  it("is chosen by the override file that engines read last", () => {
    const stem = fc.string({ unit: fc.constantFrom(..."az~_-.é😀0"), minLength: 1, maxLength: 6 });
    const suffix = fc.constantFrom(".tf", ".tf.json", ".tofu", ".tofu.json");
    const name = fc.tuple(stem, suffix).map(([head, tail]) => `${head}_override${tail}`);
    fc.assert(
      fc.property(fc.array(name), fc.constantFrom("opentofu" as const, "terraform" as const), (names, engine) => {
        const own = backendOverrideName(names, engine);
        assert.ok(isOverrideFile(own) && moduleFileKind(own, engine) === "json");
        const all = [...names.filter((one) => moduleFileKind(one, engine) !== undefined), own];
        assert.equal(all.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).at(-1), own);
        assert.ok(!names.includes(own));
      }),
    );
  });

  it("may be away for five minutes", () => {
    const given = backendEnvironment({ port: 1234 });
    assert.equal(given.TF_HTTP_ADDRESS, "http://127.0.0.1:1234/state");
    // The engine doubles its wait from the smallest to the largest, then keeps the largest.
    const waits = Array.from({ length: Number(given.TF_HTTP_RETRY_MAX) }, (_, attempt) =>
      Math.min(Number(given.TF_HTTP_RETRY_WAIT_MAX), Number(given.TF_HTTP_RETRY_WAIT_MIN) * 2 ** attempt),
    );
    assert.ok(waits.reduce((sum, wait) => sum + wait, 0) > 5 * 60);
  });

  it("is read back after init", () => {
    assert.equal(initialisedBackend('{"version":3,"backend":{"type":"http","config":{}}}'), "http");
    for (const text of ["", "{}", "null", '{"backend":null}', '{"backend":{"type":1}}']) {
      assert.equal(initialisedBackend(text), undefined);
    }
  });
});

describe("the environment from credentials", () => {
  it("loses what would steer the engine or its process", () => {
    const bad = [
      "TF_CLI_ARGS",
      "TF_CLI_ARGS_plan",
      "TF_HTTP_ADDRESS",
      "TF_DATA_DIR",
      "TF_WORKSPACE",
      "TF_LOG",
      "TF_LOG_PATH",
    ];
    const worse = [
      "TF_STATE_PERSIST_INTERVAL",
      "TF_REATTACH_PROVIDERS",
      "TF_CLI_CONFIG_FILE",
      "TF_VAR_x",
      "LD_PRELOAD",
      "PATH",
    ];
    const rest = [
      "HOME",
      "NODE_OPTIONS",
      "GIT_SSH_COMMAND",
      "BASH_ENV",
      "GODEBUG",
      "TERRARIUM_ENGINE_BIN",
      "tf_cli_args",
    ];
    const names = [...bad, ...worse, ...rest];
    const given = Object.fromEntries(names.map((name) => [name, "v"]));
    const { kept, dropped } = filterEnvironment(given);
    assert.deepEqual(kept, {});
    assert.deepEqual(dropped, [...names].sort());
  });

  it("keeps credentials of clouds and registries", () => {
    const names = [
      "AWS_ACCESS_KEY_ID",
      "AWS_PROFILE",
      "ARM_CLIENT_SECRET",
      "GOOGLE_CREDENTIALS",
      "KUBE_TOKEN",
      "TF_TOKEN_app_example_com",
    ];
    for (const name of [...names, "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "VAULT_TOKEN"]) {
      assert.equal(isReservedVariable(name), false, name);
    }
  });

  it("loses names and values that no process could have", () => {
    assert.deepEqual(filterEnvironment({ "a=b": "x", "": "x", "a b": "x", ok: "a\0b" }).kept, {});
  });

  it("has a base that nobody can ask through, and memory limits only where there is one", () => {
    const base = baseEnvironment({ home: "/h", temporary: "/t" });
    assert.deepEqual([base.TF_INPUT, base.CHECKPOINT_DISABLE, base.GOGC], ["0", "1", undefined]);
    assert.equal(baseEnvironment({ home: "/h", temporary: "/t", memoryLimitBytes: 1024 ** 3 }).GOMEMLIMIT, "409MiB");
  });
});

describe("the variable file", () => {
  const module = readModule(
    new Map([
      [
        "main.tf",
        'variable "n" {\n  type = number\n}\nvariable "s" {\n  type = string\n}\nvariable "e" {\n  ephemeral = true\n}\nvariable "o" {\n  default = 1\n}\n',
      ],
    ]),
    "opentofu",
  );

  it("holds what the module declares, and names what it lacks", () => {
    const file = variableFile(
      new Map<string, unknown>([
        ["s", "x"],
        ["other", 1],
      ]),
      module,
    );
    assert.deepEqual(JSON.parse(file.text), { s: "x" });
    assert.deepEqual(file.unused, ["other"]);
    assert.equal(
      missingVariablesMessage(file.missing),
      "the module's required variables n (main.tf:1), e (main.tf:7) have no value: add them to spec.variables or to the component's variables",
    );
  });

  it("passes over what is given for others, and names what is given for this module and not declared by it", () => {
    const values = new Map<string, unknown>([
      ["region", "eu"],
      ["sise", 1],
      ["n", 1],
    ]);
    const file = variableFile(values, module, ["n", "sise"]);
    assert.deepEqual(file.unused, ["region"]);
    assert.deepEqual(file.undeclared, ["sise"]);
    assert.equal(
      undeclaredVariablesMessage(file.undeclared, module),
      "the component gives the variable sise, and its module declares no such; it declares e, n, o, s. Correct the name, or declare it",
    );
    assert.match(
      undeclaredVariablesMessage(["a", "b"], { variables: [] }),
      /variables a, b,.* declares none\..* declare them/,
    );
  });

  it("leaves large numbers to the engine as strings, and null to where no string is declared", () => {
    const values = new Map<string, unknown>([
      ["n", "9007199254740993"],
      ["s", "null"],
      ["o", "null"],
    ]);
    assert.deepEqual(JSON.parse(variableFile(values, module).text), { n: "9007199254740993", o: "null", s: "null" });
    assert.deepEqual(JSON.parse(variableFile(new Map([["n", "null"]]), module).text), { n: null });
  });

  it("gives apply the ephemeral ones only", () => {
    const file = variableFile(
      new Map<string, unknown>([
        ["e", "now"],
        ["s", "x"],
      ]),
      module,
    );
    assert.deepEqual(JSON.parse(file.ephemeralText ?? ""), { e: "now" });
    assert.equal(variableFile(new Map([["s", "x"]]), module).ephemeralText, undefined);
  });

  it("is the same for the same values in another order, and survives any value", () => {
    const shape = {
      variables: [
        { ...aVariable, name: "a" },
        { ...aVariable, name: "__proto__" },
      ],
    };
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, two) => {
        const forth = variableFile(
          new Map([
            ["a", one],
            ["__proto__", two],
          ]),
          shape,
        ).text;
        const back = variableFile(
          new Map([
            ["__proto__", two],
            ["a", one],
          ]),
          shape,
        ).text;
        assert.equal(forth, back);
        assert.deepEqual(
          Object.entries(JSON.parse(forth)).find(([name]) => name === "a")?.[1],
          JSON.parse(JSON.stringify(one)),
        );
      }),
    );
  });
});

const aVariable = { hasDefault: false, sensitive: false, ephemeral: false, nullable: true, file: "main.tf", line: 1 };
