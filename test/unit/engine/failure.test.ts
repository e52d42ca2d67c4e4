import assert from "node:assert/strict";
import { describeErrors, readDiagnostics } from "../../../operator/engine/diagnostics.ts";
import { explainFailure, type FailureReason, type Phase } from "../../../operator/engine/failure.ts";
import { fixtureLines, recordedEngines } from "./fixture.ts";

const failed = { code: 1, signal: null, timedOut: false };

const expectations: readonly (readonly [string, Phase, FailureReason, "yours" | "theirs" | "ours", RegExp])[] = [
  ["init-syntax.txt", "Init", "ConfigurationInvalid", "yours", /Invalid expression \(main\.tf:2\): Expected the start/],
  ["init-registry.txt", "Init", "RegistryUnreachable", "theirs", /registry\.invalid\/acme\/nope/],
  ["init-provider.txt", "Init", "ProviderNotFound", "yours", /registry\.invalid\/acme\/nope/],
  ["init-module.txt", "Init", "ModuleNotFound", "yours", /module/i],
  ["init-git.txt", "Init", "RegistryUnreachable", "theirs", /127\.0\.0\.1:1/],
  ["plan-syntax.jsonl", "Plan", "ConfigurationInvalid", "yours", /\(main\.tf:\d\)/],
  [
    "plan-undeclared.jsonl",
    "Plan",
    "ConfigurationInvalid",
    "yours",
    /Reference to undeclared input variable \(main\.tf:2\)/,
  ],
  ["plan-missing.jsonl", "Plan", "VariableMissing", "yours", /"region" is not set/],
  ["plan-type.jsonl", "Plan", "ConfigurationInvalid", "yours", /a number is required/],
  ["plan-argument.jsonl", "Plan", "ConfigurationInvalid", "yours", /"nope" is not expected here/],
  [
    "plan-data.jsonl",
    "Plan",
    "ProviderFailed",
    "theirs",
    /data\.terraform_remote_state\.other: Unable to find remote state/,
  ],
  ["plan-locked.jsonl", "Plan", "StateLocked", "theirs", /4711/],
  [
    "apply-failed.jsonl",
    "Apply",
    "ApplyFailed",
    "theirs",
    /terraform_data\.bad\[0\]: local-exec provisioner error \(main\.tf:\d\)/,
  ],
  ["apply-stale.jsonl", "Apply", "PlanStale", "theirs", /stale/],
  ["apply-state-write.jsonl", "Apply", "StateWriteFailed", "ours", /errored\.tfstate/],
];

describe("The place of a diagnostic", () => {
  const found = (filename: string, detail: string) => {
    const range = { filename, start: { line: 7 } };
    const diagnostic = { severity: "error", summary: "Invalid value for variable", detail, range };
    const [one] = readDiagnostics([JSON.stringify({ type: "diagnostic", diagnostic })]);
    return `${one?.file}:${one?.line}`;
  };
  const rule = "Too small.\n\nThis was checked by the validation rule at modules/net/variables.tf:3,3-13.";

  it("is the engine's own, where a module is called with a value that its rule refuses", () => {
    assert.equal(found("main.tf", rule), "main.tf:7");
  });

  it("is that of the rule or the declaration, where the engine shows the file of values", () => {
    assert.equal(found("/terrarium/secrets/terrarium.tfvars.json", rule), "modules/net/variables.tf:3");
    assert.equal(
      found("/terrarium/secrets/terrarium.tfvars.json", "Nobody knows."),
      "/terrarium/secrets/terrarium.tfvars.json:7",
    );
  });
});

describe("the failure of an engine", () => {
  for (const engine of recordedEngines) {
    for (const [name, phase, reason, whose, message] of expectations) {
      it(`of ${engine} in ${name} is ${reason}, ${whose}`, () => {
        const found = explainFailure(phase, failed, readDiagnostics(fixtureLines(engine, name)));
        assert.equal(found.reason, reason, found.message);
        assert.equal(found.class, whose);
        assert.match(found.message, message);
      });
    }
    it(`of ${engine} shows where a variable is declared whose value is bad, not the file of values`, () => {
      const [found] = readDiagnostics(fixtureLines(engine, "plan-type.jsonl"));
      assert.deepEqual([found?.file, found?.line], ["main.tf", 1]);
    });
    it(`of ${engine} never repeats the value of a variable`, () => {
      const found = explainFailure("Plan", failed, readDiagnostics(fixtureLines(engine, "plan-type.jsonl")));
      assert.doesNotMatch(found.message, /canary/);
    });
    it(`of ${engine} names every resource that failed`, () => {
      const errors = describeErrors(readDiagnostics(fixtureLines(engine, "apply-failed.jsonl"))).split("\n");
      assert.deepEqual(errors.map((line) => line.split(":")[0]).sort(), [
        "terraform_data.bad[0]",
        "terraform_data.bad[1]",
      ]);
    });
  }

  it("reads text in a box as it reads text without one", () => {
    const plain = fixtureLines(recordedEngines[0] ?? "", "init-syntax.txt");
    const boxed = ["╷", ...plain.map((line) => `│ ${line}`), "╵"].map((line) =>
      line.replace("Error:", "\u001b[31mError:\u001b[0m"),
    );
    assert.deepEqual(readDiagnostics(boxed), readDiagnostics(plain));
  });

  it("tells an end by memory, deadline and signal apart", () => {
    const reason = (end: Partial<Parameters<typeof explainFailure>[1]>) =>
      explainFailure("Apply", { ...failed, ...end }, []).reason;
    assert.equal(reason({ signal: "SIGKILL", outOfMemory: true }), "OutOfMemory");
    assert.equal(reason({ signal: "SIGTERM", timedOut: true }), "TimedOut");
    assert.equal(reason({ signal: "SIGKILL" }), "Terminated");
    assert.equal(reason({}), "Unknown");
    assert.equal(explainFailure("Plan", failed, [], ["fatal error: runtime: out of memory"]).reason, "OutOfMemory");
  });

  it("tells ten errors, then how many more, each bounded", () => {
    const many = Array.from({ length: 25 }, (_, at) => ({
      severity: "error" as const,
      summary: "broken",
      detail: "é".repeat(4000),
      address: `thing.a[${at}]`,
    }));
    const lines = describeErrors(many).split("\n");
    assert.equal(lines.length, 11);
    assert.equal(lines.at(-1), "and 15 more errors");
    assert.ok(Buffer.byteLength(lines[0] ?? "") < 1024 + 300);
  });
});
