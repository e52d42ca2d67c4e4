import assert from "node:assert/strict";
import { type Api, chartApi, made, namespace, PEOPLE, until } from "./admission-server.ts";

const NAMESPACE = "team-schema";
const PATH = `/apis/terrarium.dev/v1alpha1/namespaces/${NAMESPACE}/environments`;

interface Change {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly component?: Readonly<Record<string, unknown>>;
  readonly terraform?: Readonly<Record<string, unknown>>;
}

let count = 0;

/** An Environment that the API server accepts, but for the change. */
function anEnvironment({ spec, component, terraform }: Change = {}, name = `env-${++count}`) {
  return {
    apiVersion: "terrarium.dev/v1alpha1",
    kind: "Environment",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      source: { inline: { "main.tf": 'output "x" { value = 1 }' } },
      components: [
        { name: "network", terraform: { path: ".", ...terraform }, ...component },
        { name: "database", terraform: {} },
      ],
      ...spec,
    },
  };
}

const git = (settings: Readonly<Record<string, unknown>>): Change => ({
  spec: { source: { git: { url: "https://git.example.com/shop/infra.git", ...settings } } },
});
const branch = (name: string) => git({ ref: { branch: name } });
const tag = (name: string) => git({ ref: { tag: name } });
const path = (text: string): Change => ({ terraform: { path: text } });
const variable = (item: Readonly<Record<string, unknown>>): Change => ({ terraform: { variables: [item] } });
const output = (component: string) => ({ valueFrom: { output: { component, name: "id" } } });
const components = (amount: number) =>
  Array.from({ length: amount }, (_, index) => ({ name: `c${index}`, terraform: {} }));

/** As many references as the limits of the lists allow: each rule over them must stay within the API server's budget. */
const everythingAtOnce = Array.from({ length: 64 }, (_, index) => ({
  name: `component-number-${index}`,
  dependsOn: Array.from({ length: 64 }, (_, other) => `component-number-${other}`).filter(
    (_, other) => other !== index,
  ),
  terraform: {
    variables: Array.from({ length: 64 }, (_, number) => ({
      name: `v${number}`,
      ...output(`component-number-${index === 63 ? 62 : 63}`),
    })),
  },
}));

const plainName = "begins and ends with a letter or digit";
const insideSource = "path must stay inside the source: no leading '/' or '-', no '..'";
const webAddress = "url must be an https:// or http:// address of a repository; credentials belong in secretRef";
const watched = "a path begins at the root of the repository";
const plainBranch = "branch must be a plain git branch name";
const plainTag = "tag must be a plain git tag name";
const oneOf = "must validate one and only one schema (oneOf)";
const bounded = "a duration is written as in 90s or 1h30m, and must be between 10s and 24h here";

const often = "a duration is written as in 90s or 1h30m, and must be between 1m and 720h here";

const REFUSED: readonly (readonly [what: string, change: Change, sentence: string])[] = [
  // Sources.
  [
    "two sources",
    { spec: { source: { inline: { "main.tf": "" }, configMap: { name: "modules" } } } },
    "a source is exactly one of git, inline and configMap",
  ],
  ["no kind of source", { spec: { source: {} } }, "a source is exactly one of git, inline and configMap"],
  ["no source at all", { spec: { source: undefined } }, "give a source for the Environment, or one for each component"],
  ["an inline file in a folder", { spec: { source: { inline: { "a/b.tf": "" } } } }, "the name of an inline file"],
  ["an inline file called '..'", { spec: { source: { inline: { "..": "" } } } }, "the name of an inline file"],
  ["an inline file like an option", { spec: { source: { inline: { "-o": "" } } } }, "the name of an inline file"],
  ["an inline file of 1 MB", { spec: { source: { inline: { "main.tf": "x".repeat(1_000_000) } } } }, "Too long"],
  ["a url with ssh", git({ url: "ssh://git@git.example.com/infra.git" }), webAddress],
  ["a url like scp's", git({ url: "git@git.example.com:infra.git" }), webAddress],
  ["a url to a file", git({ url: "file:///etc" }), webAddress],
  ["a url with a remote helper", git({ url: "ext::sh -c touch% /tmp/x" }), webAddress],
  ["a url like an option", git({ url: "--upload-pack=touch /tmp/x" }), webAddress],
  ["a url with credentials", git({ url: "https://me:secret@git.example.com/infra.git" }), webAddress],
  ["a url with a newline", git({ url: "https://git.example.com/infra.git\nhost=evil" }), webAddress],
  ["a url with a command", git({ url: "https://git.example.com/$(id).git" }), webAddress],
  ["a url with a foreign letter", git({ url: "https://gіt.example.com/infra.git" }), webAddress],
  ["a branch like an option", branch("-o"), plainBranch],
  ["a branch with '..'", branch("a..b"), plainBranch],
  ["a branch with a newline", branch("main\nevil"), plainBranch],
  ["a branch with a control character", branch("main\u0007"), plainBranch],
  ["a branch with a command", branch("$(touch x)"), plainBranch],
  ["a branch with '@{'", branch("main@{1}"), plainBranch],
  ["a branch with a foreign letter", branch("mаin"), plainBranch],
  ["an empty branch", branch(""), "at least 1 chars long"],
  ["a tag like an option", tag("--force"), plainTag],
  ["a tag with '..'", tag("v1..v2"), plainTag],
  ["a tag with a newline", tag("v1\n"), plainTag],
  ["branch and tag", git({ ref: { branch: "main", tag: "v1" } }), "name only one of branch, tag and commit"],
  ["a short commit", git({ ref: { commit: "abc123" } }), "commit must be a full commit id"],
  ["a watched path that leads out", git({ watch: ["modules/../../etc"] }), watched],
  ["a watched path that climbs first", git({ watch: ["../modules"] }), watched],
  ["a watched path from the root of a machine", git({ watch: ["/etc"] }), watched],
  ["a watched path that looks like an option", git({ watch: ["--all"] }), watched],
  ["a watched path that ends in a slash", git({ watch: ["modules/"] }), watched],
  ["a watched path twice", git({ watch: ["modules", "modules"] }), "Duplicate value"],
  ["an interval that is too short", git({ interval: "1s" }), bounded],
  ["an interval that is too long", git({ interval: "48h" }), bounded],
  ["an interval beyond any clock", git({ interval: "999999h" }), bounded],
  ["an interval without a unit", git({ interval: "300" }), bounded],
  // Paths.
  ["a path out of the source", path("../other"), insideSource],
  ["a path with '..' inside", path("live/../../x"), insideSource],
  ["an absolute path", path("/etc"), insideSource],
  ["a path like an option", path("-chdir=x"), insideSource],
  ["a path with a newline", path("live\nx"), insideSource],
  ["a path with a command", path("$(id)"), insideSource],
  ["an empty path", path(""), insideSource],
  ["a path of 1 MB", path("x".repeat(1_000_000)), "Too long"],
  // Names.
  ["a component's name of 21 characters", { component: { name: "a".repeat(21) } }, "Too long"],
  ["a component's name with a dash at the end", { component: { name: "net-" } }, plainName],
  ["a component's name in unicode", { component: { name: "nétwork" } }, plainName],
  ["a component's name with a newline", { component: { name: "net\nwork" } }, plainName],
  ["a component's name with a command", { component: { name: "$(id)" } }, plainName],
  ["two components of one name", { component: { name: "database" } }, "Duplicate value"],
  ["a variable's name like an option", variable({ name: "-var", value: 1 }), "begins with a letter or '_'"],
  ["a variable's name with a newline", variable({ name: "a\nb", value: 1 }), "begins with a letter or '_'"],
  ["a variable's name in unicode", variable({ name: "größe", value: 1 }), "begins with a letter or '_'"],
  [
    "a Secret's key that is a path",
    variable({ name: "a", valueFrom: { secretKeyRef: { name: "s", key: "../token" } } }),
    "a key of a Secret or ConfigMap consists of letters, digits, '-', '_' and '.'",
  ],
  [
    "a Secret's name in upper case",
    variable({ name: "a", valueFrom: { secretKeyRef: { name: "Shop", key: "k" } } }),
    "the name of an object consists of lower-case letters",
  ],
  ["formerName as name", { component: { formerName: "network" } }, "formerName must differ from name"],
  ["a formerName in use", { component: { formerName: "database" } }, "formerName is still the name of a component"],
  // Variables.
  ["value with valueFrom", variable({ name: "a", value: false, ...output("database") }), oneOf],
  ["neither value nor valueFrom", variable({ name: "a" }), oneOf],
  ["a null that is not a string", variable({ name: "a", value: null }), oneOf],
  [
    "valueFrom of two kinds",
    variable({
      name: "a",
      valueFrom: { secretKeyRef: { name: "s", key: "k" }, configMapKeyRef: { name: "c", key: "k" } },
    }),
    "valueFrom is exactly one of secretKeyRef, configMapKeyRef and output",
  ],
  ["an empty valueFrom", variable({ name: "a", valueFrom: {} }), "valueFrom is exactly one of"],
  [
    "two variables of one name",
    { terraform: { variables: [1, 2].map((value) => ({ name: "a", value })) } },
    "Duplicate",
  ],
  // References.
  [
    "dependsOn an unknown component",
    { component: { dependsOn: ["nowhere"] } },
    "dependsOn names a component that is not in components",
  ],
  ["dependsOn itself", { component: { dependsOn: ["network"] } }, "a component cannot depend on itself"],
  [
    "an output of an unknown component",
    variable({ name: "a", ...output("nowhere") }),
    "valueFrom.output names a component that is not in components",
  ],
  ["its own output", variable({ name: "a", ...output("network") }), "a component cannot use its own output"],
  [
    "outputs of an unknown component",
    { spec: { outputs: [{ name: "url", ...output("nowhere") }] } },
    "outputs names a component that is not in components",
  ],
  [
    "an output for the whole Environment",
    { spec: { variables: [{ name: "a", ...output("network") }] } },
    "a variable of the whole Environment cannot come from an output",
  ],
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

const ACCEPTED: readonly (readonly [what: string, change: Change])[] = [
  ["nothing but what is needed", {}],
  ["64 components that all refer to each other, 64 times each", { spec: { components: everythingAtOnce } }],
  ["64 components", { spec: { components: components(64) } }],
  ["a component's name of 20 characters", { component: { name: "a".repeat(20) } }],
  ["watched paths", git({ watch: ["modules", "live/shared/.tool", "versions.tf"] })],
  ["a git source whose components' own paths are all that matters", git({ watch: [] })],
  ["a git source by branch", git({ ref: { branch: "feature/shop-12" }, interval: "90s" })],
  [
    "a git source by tag over http with a port",
    git({ url: "http://git.shop.svc:3000/infra.git", ref: { tag: "v1.2" } }),
  ],
  ["a git source by commit", git({ ref: { commit: "a".repeat(40) } })],
  ["a path with dots in a name", path("live/v1..2/net.work")],
  ["dependsOn another component", { component: { dependsOn: ["database"] } }],
  ["an output of another component", variable({ name: "a", ...output("database") })],
  ["null as a string", variable({ name: "a", value: "null" })],
  ["false", variable({ name: "a", value: false })],
  ["0", variable({ name: "a", value: 0 })],
  ["an empty string", variable({ name: "a", value: "" })],
  ["a nested value", variable({ name: "a", value: { list: [1, { deep: [true, null] }], text: "x" } })],
  ["a value with newlines and a command", variable({ name: "a", value: "$(touch /tmp/x)\n`id`\n-o../\u0000 é 漢" })],
  ["an inline file of 256 KiB", { spec: { source: { inline: { "main.tf": "x".repeat(262_144) } } } }],
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
    api = await chartApi();
    await made(api.create("/api/v1/namespaces", namespace(NAMESPACE)));
    await until(
      () => api.get(PATH),
      ({ status }) => status === 200,
    );
  });

  for (const [what, change, sentence] of REFUSED) {
    it(`refuses ${what}`, async () => {
      const { status, message } = await api.create(PATH, anEnvironment(change));
      assert.ok(status === 422 || status === 400, `${status} ${message}`);
      assert.ok(message.includes(sentence), message.slice(0, 2_000));
    });
  }

  for (const [what, change] of ACCEPTED) {
    it(`accepts ${what}`, async () => {
      const { status, message } = await api.create(PATH, anEnvironment(change));
      assert.equal(status, 201, message);
    });
  }

  it("keeps a value exactly as it was written", async () => {
    const value = { b: [1, 2.5, "3"], a: { z: false, y: "", x: 0 }, text: "a\n$(b)" };
    const { body } = await made(api.create(PATH, anEnvironment(variable({ name: "a", value }))));
    const stored = body.spec as { components: { terraform: { variables?: unknown } }[] };
    assert.deepEqual(stored.components[0]?.terraform.variables, [{ name: "a", value }]);
  });

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
