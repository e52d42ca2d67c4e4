/** Environments and their components: names, rules about plans, everything but sources and variables. */
import assert from "node:assert/strict";
import { type Api, made, PEOPLE, until } from "./admission-server.ts";
import { type Acceptance, itAccepts, itRefuses, type Refusal } from "./admission-verdicts.ts";
import { anEnvironment, bounded, type Change, git, namespaceOfEnvironments } from "./environment-changes.ts";
import { kindsIn } from "./policed-namespace.ts";

const NAMESPACE = "team-schema";
const PATH = `${kindsIn(NAMESPACE)}/environments`;

const components = (amount: number) =>
  Array.from({ length: amount }, (_, index) => ({ name: `c${index}`, terraform: {} }));

const plainName = "begins and ends with a letter or digit";
const often = "a duration is written as in 90s or 1h30m, and must be between 1m and 720h here";

const REFUSED: readonly Refusal<Change>[] = [
  // Names.
  ["a component's name of 21 characters", { component: { name: "a".repeat(21) } }, "Too long"],
  ["a component's name with a dash at the end", { component: { name: "net-" } }, plainName],
  ["a component's name in unicode", { component: { name: "nétwork" } }, plainName],
  ["a component's name with a newline", { component: { name: "net\nwork" } }, plainName],
  ["a component's name with a command", { component: { name: "$(id)" } }, plainName],
  ["two components of one name", { component: { name: "database" } }, "Duplicate value"],
  ["formerName as name", { component: { formerName: "network" } }, "formerName must differ from name"],
  ["a formerName in use", { component: { formerName: "database" } }, "formerName is still the name of a component"],
  // Rules about plans.
  ["a pattern with nine '*'", { spec: { protect: ["*.".repeat(9)] } }, "a pattern has at most eight '*'"],
  ["an empty pattern", { component: { protect: [""] } }, "at least 1 chars long"],
  ["a pattern of 257 characters", { component: { protect: ["x".repeat(257)] } }, "Too long"],
  ["the same pattern twice", { spec: { protect: ["aws_db_instance", "aws_db_instance"] } }, "Duplicate value"],
  ["33 patterns", { spec: { protect: Array.from({ length: 33 }, (_, at) => `t${at}`) } }, "must have at most 32 items"],
  ["a negative maxDeletes", { spec: { maxDeletes: -1 } }, "should be greater than or equal to 0"],
  ["an empty unless", { spec: { approval: { unless: "" } } }, "at least 1 chars long"],
  ["an unless of 1,025 characters", { component: { approval: { unless: "x".repeat(1025) } } }, "Too long"],
  // The rest.
  ["no components", { spec: { components: [] } }, "should have at least 1 items"],
  ["65 components", { spec: { components: components(65) } }, "must have at most 64 items"],
  ["a timeout that is too short", { spec: { timeouts: { plan: "1s" } } }, bounded],
  ["a timeout that is too long", { spec: { timeouts: { apply: "25h" } } }, bounded],
  ["a look for drift every half minute", { spec: { drift: { interval: "30s" } } }, often],
  ["a look for drift every 31 days", { component: { drift: { interval: "744h" } } }, often],
  ["an interval that is none", { spec: { drift: { interval: "often" } } }, often],
  [
    "an action that is none",
    { spec: { drift: { action: "Panic" } } },
    'supported values: "Report", "Propose", "Correct"',
  ],
  ["a rule for drift with an empty address", { spec: { drift: { ignore: [{ address: "" }] } } }, "at least 1 chars"],
  ["a rule for drift with no attributes", { spec: { drift: { ignore: [{ attributes: [] }] } } }, "at least 1 items"],
  ["a timeout with a command", { spec: { timeouts: { apply: "$(id)" } } }, bounded],
  ["a retry limit of 101", { spec: { retry: { limit: 101 } } }, "should be less than or equal to 100"],
  ["a negative retry limit", { spec: { retry: { limit: -1 } } }, "should be greater than or equal to 0"],
  ["a history of no Run", { spec: { history: { failures: 0 } } }, "should be greater than or equal to 1"],
  ["a history of 101 Runs", { spec: { history: { successes: 101 } } }, "should be less than or equal to 100"],
  ["a history of a second", { spec: { history: { maxAge: "1s" } } }, "between 1m and 8784h"],
  ["an unknown engine", { spec: { engine: { name: "pulumi" } } }, 'supported values: "opentofu", "terraform"'],
  ["a version range", { spec: { engine: { name: "opentofu", version: ">=1" } } }, "written as in 1.12 or 1.12.6"],
  ["an unknown field", { spec: { checks: [] } }, 'unknown field "spec.checks"'],
  ["an unknown field of a component", { component: { helm: {} } }, 'unknown field "spec.components[0].helm"'],
  ["an unknown deletion policy", { spec: { deletionPolicy: "Orphan" } }, 'supported values: "Destroy", "Retain"'],
  [
    "a quantity that is none",
    { component: { runner: { resources: { requests: { cpu: "many" } } } } },
    "a quantity is a string as in",
  ],
];

const ACCEPTED: readonly Acceptance<Change>[] = [
  ["nothing but what is needed", {}],
  ["64 components", { spec: { components: components(64) } }],
  ["a component's name of 20 characters", { component: { name: "a".repeat(20) } }],
  ["a history by count and age", { spec: { history: { successes: 3, failures: 100, maxAge: "720h" } } }],
  [
    "rules about plans",
    {
      spec: {
        protect: ["aws_db_*", 'aws_s3_bucket.logs["a b"]', "module.*.aws_kms_key.main"],
        maxDeletes: 0,
        approval: { unless: "plan.delete == 0", destroy: { unless: "plan.delete < 3" } },
      },
      component: {
        protect: [],
        maxDeletes: 3,
        approval: { required: 0, unless: "an expression that does not compile" },
      },
    },
  ],
  [
    "64 components with 32 long patterns each",
    {
      spec: {
        components: components(64).map((component) => ({
          ...component,
          protect: Array.from({ length: 32 }, (_, at) => `${at}${"*a".repeat(8)}${"x".repeat(230)}`),
        })),
      },
    },
  ],
  ["a look for drift every minute", { spec: { drift: { interval: "1m", action: "Correct" } } }],
  [
    "a look for drift every 30 days, and not at one component",
    { spec: { drift: { interval: "720h" } }, component: { drift: {} } },
  ],
  ["rules that ignore drift", { spec: { drift: { ignore: [{ address: "a.*", attributes: ["tags*"] }] } } }],
  ["a rule that ignores every drift, of which the status warns", { spec: { drift: { ignore: [{ address: "*" }] } } }],
  ["the longest timeout", { spec: { timeouts: { plan: "10s", apply: "24h" } } }],
];

describe("admission of Environments", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await namespaceOfEnvironments(NAMESPACE);
  });

  const create = (change: Change) => api.create(PATH, anEnvironment(change));
  itRefuses(REFUSED, create);
  itAccepts(ACCEPTED, create);

  it("refuses a name that does not fit a label", async () => {
    const { status, message } = await api.create(PATH, anEnvironment({}, "a".repeat(64)));
    assert.equal(status, 422);
    assert.match(message, /the name of an Environment has at most 63 lower-case letters/);
    assert.equal((await api.create(PATH, anEnvironment({}, "a".repeat(63)))).status, 201);
    assert.match((await api.create(PATH, anEnvironment({}, "shop.staging"))).message, /at most 63 lower-case letters/);
  });

  it("refuses another engine later, and accepts another version", async () => {
    const manifest = anEnvironment({ spec: { engine: { name: "opentofu", version: "1.12" } } });
    const { name } = manifest.metadata;
    await made(api.create(PATH, manifest));
    const change = (engine: unknown) => api.patch(`${PATH}/${name}`, { spec: { engine } });
    assert.match((await change({ name: "terraform" })).message, /the engine's name cannot be changed/);
    assert.match((await change({ name: "terraform", version: "1.5" })).message, /the engine's name cannot be changed/);
    assert.equal((await change({ version: "1.11" })).status, 200);
  });

  it("fills in the defaults, and a status that nobody takes for healthy", async () => {
    const { body } = await made(api.create(PATH, anEnvironment(git({}))));
    const spec = body.spec as { engine: unknown; suspend: unknown; source: { git: { interval: unknown } } };
    assert.deepEqual(spec.engine, { name: "opentofu" });
    assert.equal(spec.suspend, false);
    assert.equal(spec.source.git.interval, "5m");
    assert.deepEqual(body.status, { observedGeneration: -1 });
  });

  it("merges components that two managers apply", async () => {
    const name = "merged";
    const part = (component: string, source?: unknown) => ({
      apiVersion: "terrarium.dev/v1alpha1",
      kind: "Environment",
      metadata: { name },
      spec: { ...(source ? { source } : {}), components: [{ name: component, terraform: {} }] },
    });
    const namesOf = ({ body }: { body: Record<string, unknown> }) =>
      (body.spec as { components: { name: string }[] }).components.map((component) => component.name).sort();
    await made(api.apply(`${PATH}/${name}`, part("network", { inline: { "main.tf": "" } }), "platform"));
    assert.deepEqual(namesOf(await made(api.apply(`${PATH}/${name}`, part("database"), "shop"))), [
      "database",
      "network",
    ]);
    assert.deepEqual(namesOf(await made(api.apply(`${PATH}/${name}`, part("cache"), "shop"))), ["cache", "network"]);
  });

  it("shows what matters as columns", async () => {
    const { body } = await api.get(
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/environments.terrarium.dev",
    );
    const [version] = (body.spec as { versions: { additionalPrinterColumns: { name: string }[] }[] }).versions;
    const names = version?.additionalPrinterColumns.map((column) => column.name);
    assert.deepEqual(names, ["Ready", "Reason", "Summary", "Age", "Drifted", "Engine", "Message"]);
  });

  it("refuses Environments beside the operator's keys", async () => {
    const path = `/apis/terrarium.dev/v1alpha1/namespaces/terrarium-system/environments`;
    const manifest = { ...anEnvironment(), metadata: { name: "inside" } };
    const refused = await until(
      () => api.create(`${path}`, manifest, PEOPLE.admin),
      ({ status }) => status >= 400,
    );
    assert.match(refused.message, /declare Environments in another namespace/);
  });
});
