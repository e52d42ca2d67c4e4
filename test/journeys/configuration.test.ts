import assert from "node:assert/strict";
import { anEnvironment, type ComponentFacts } from "./support/environments.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps, keepsVariable } from "./support/modules.ts";
import type { Place } from "./support/place.ts";

interface Mistake {
  readonly title: string;
  readonly component: Omit<ComponentFacts, "name">;
  readonly reason:
    | "ConfigurationInvalid"
    | "VariableMissing"
    | "VariableUnknown"
    | "VariableInvalid"
    | "ProviderNotFound"
    | "ModuleNotFound"
    | "RegistryUnreachable";
  /** What the message must tell. */
  readonly tells: readonly RegExp[];
  readonly file?: string;
  readonly line?: number;
  /** Somebody else may publish it, or switch it on: it is tried again. */
  readonly mayAppear?: true;
}

const mistakes: readonly Mistake[] = [
  {
    title: "a syntax error",
    component: { module: 'output "x" {\n  value = 1\n\nresource "terraform_data" "y" {\n}\n' },
    reason: "ConfigurationInvalid",
    tells: [/main\.tf:1/, /[Uu]nclosed configuration block/],
    file: "main.tf",
    line: 1,
  },
  {
    title: "an unknown variable",
    component: { module: 'output "x" {\n  value = var.nowhere\n}\n' },
    reason: "ConfigurationInvalid",
    tells: [/main\.tf:2/, /undeclared/i],
    file: "main.tf",
    line: 2,
  },
  {
    title: "an unsupported argument",
    component: { module: 'resource "terraform_data" "y" {\n  inputt = 1\n}\n' },
    reason: "ConfigurationInvalid",
    tells: [/main\.tf:2/, /[Uu]nsupported argument/],
    file: "main.tf",
    line: 2,
  },
  {
    title: "a missing variable",
    component: { module: keepsVariable("needed") },
    reason: "VariableMissing",
    tells: [/needed \(main\.tf:2\) has no value/],
  },
  {
    title: "a misspelt variable",
    component: { module: keepsVariable("colour"), variables: [{ name: "color", value: "green" }] },
    reason: "VariableUnknown",
    tells: [/\bcolor\b.*declares colour\b/],
  },
  {
    title: "a variable of the wrong type",
    component: { module: keepsVariable("count_of", "number"), variables: [{ name: "count_of", value: "many" }] },
    reason: "VariableInvalid",
    tells: [/count_of/, /Invalid value for input variable/],
    file: "main.tf",
    line: 2,
  },
  {
    title: "a version of a provider that nobody has",
    component: {
      module:
        'terraform {\n  required_providers {\n    time = {\n      source  = "hashicorp/time"\n      version = "99.9.9"\n    }\n  }\n}\n',
    },
    reason: "ProviderNotFound",
    mayAppear: true,
    tells: [/hashicorp\/time/],
  },
  {
    title: "a registry that does not answer",
    component: {
      module:
        'terraform {\n  required_providers {\n    cloud = {\n      source = "registry.nowhere.invalid/acme/cloud"\n    }\n  }\n}\n',
    },
    reason: "RegistryUnreachable",
    mayAppear: true,
    tells: [/registry\.nowhere\.invalid/],
  },
  {
    title: "a module that is not there",
    component: { module: 'module "m" {\n  source = "./nowhere"\n}\n' },
    reason: "ModuleNotFound",
    mayAppear: true,
    tells: [/nowhere/],
  },
];

journeys("mistakes in a module", () => {
  for (const mistake of mistakes) {
    journeyWithEachEngine(`${mistake.title} is named, and its correction is applied`, async (place, engine) => {
      await place.apply(anEnvironment({ name: "wrong", engine, components: [{ name: "one", ...mistake.component }] }));
      await tells(place, mistake);
      await place.apply(
        anEnvironment({ name: "wrong", engine, components: [{ name: "one", module: keeps("right") }] }),
      );
      await place.untilReady("wrong");
    });
  }

  journeyWithEachEngine(
    "a mistake is tried again as often as the limit says, and then waits for a change",
    async (place, engine) => {
      const wrong = (text: string, limit: number) =>
        anEnvironment({
          name: "limit",
          engine,
          retry: { limit },
          components: [{ name: "one", module: `output "x" {\n  value = ${text}\n}\n` }],
        });
      await place.apply(wrong("registry_of_nothing()", 0));
      const line = await place.untilComponent("limit", "one", ({ state }) => state === "Failed");
      assert.equal(line.retryAt, undefined, "no further try is planned");
      const runs = (await place.runs()).length;

      await place.apply(wrong("1", 0));
      await place.untilReady("limit");
      assert.equal((await place.runs()).length, runs + 1, "the change was tried once");
    },
  );

  for (const { title, component, reason } of mistakes.filter(({ mayAppear }) => mayAppear))
    journey(
      `${title} is tried again, with growing pauses, until the limit`,
      async (place) => {
        await place.apply(
          anEnvironment({ name: "again", retry: { limit: 2 }, components: [{ name: "one", ...component }] }),
        );
        const first = await place.untilReason("again", "one", reason);
        assert.equal(first.retries, 1);
        assert.ok(first.retryAt, "says when the next try begins");
        await place.untilReason("again", "one", "RetriesExhausted");
        const runs = await place.runs();
        assert.deepEqual(
          runs.map(({ spec }) => [spec.attempt, spec.cause.type]),
          [
            [0, "Created"],
            [1, "Retry"],
            [2, "Retry"],
          ],
        );
        const ends = runs.map(({ status }) => Date.parse(status?.finishedAt ?? ""));
        const begins = runs.map(({ metadata }) => Date.parse(metadata.creationTimestamp));
        const pauses = [1, 2].map((at) => (begins[at] ?? 0) - (ends[at - 1] ?? 0));
        assert.ok((pauses[0] ?? 0) >= 7_000 && (pauses[1] ?? 0) >= 15_000, `pauses were ${pauses.join(" and ")} ms`);
        await place.request("again");
        await place.untilRun("one", ({ spec }) => spec.number === 4 && spec.attempt === 0);
      },
      { within: 180 },
    );

  for (const [title, block] of [
    ["a module with a backend of its own waits for a decision, and goes on after it", 'backend "local" {}'],
    [
      "a module with a cloud block waits for a decision, and goes on after it",
      'cloud {\n    organization = "acme"\n    workspaces {\n      name = "shop"\n    }\n  }',
    ],
  ] as const) {
    journeyWithEachEngine(title, async (place, engine) => {
      const module = `terraform {\n  ${block}\n}\n${keeps("x")}`;
      const own = (state?: { backend: "Managed" }) =>
        anEnvironment({
          name: "backend",
          engine,
          components: [{ name: "one", module, ...(state === undefined ? {} : { state }) }],
        });
      await place.apply(own());
      const line = await place.untilReason("backend", "one", "BackendChoiceNeeded");
      assert.equal(line.state, "Failed");
      assert.match(line.message ?? "", /backend: Managed/);
      assert.equal(line.retryAt, undefined, "nothing is tried until a person decides");
      await place.apply(own({ backend: "Managed" }));
      await place.untilReady("backend");
    });
  }

  journey("an engine that the catalogue lacks is Stalled, with what it has", async (place) => {
    const environment = anEnvironment({ name: "engine", components: [{ name: "one", module: keeps("x") }] });
    await place.apply({
      ...environment,
      spec: { ...specOf(environment), engine: { name: "opentofu", version: "9.9" } },
    });
    const line = await place.untilReason("engine", "one", "EngineUnknown");
    assert.match(line.message ?? "", /opentofu 1\.12/);
    assert.equal((await place.runs()).length, 0);
  });
});

async function tells(place: Place, { reason, tells: patterns, file, line }: Mistake): Promise<void> {
  const run = await place.untilRunEnds("one");
  const { outcome } = run.status ?? {};
  assert.equal(outcome?.reason, reason, outcome?.message);
  for (const pattern of patterns) assert.match(outcome?.message ?? "", pattern);
  if (file !== undefined) assert.equal(outcome?.diagnostics?.[0]?.file, file);
  if (line !== undefined) assert.equal(outcome?.diagnostics?.[0]?.line, line);
  const shown = await place.untilReason("wrong", "one", reason);
  assert.equal(shown.state, "Failed");
}

function specOf(environment: object): object {
  return "spec" in environment && typeof environment.spec === "object" && environment.spec !== null
    ? environment.spec
    : {};
}
