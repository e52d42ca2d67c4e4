import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { type Api, bindPeople, chartApi, made, namespace, PEOPLE, until } from "./admission-server.ts";
import { type Acceptance, itAccepts, itRefuses, type Refusal } from "./admission-verdicts.ts";
import { namespaceOfEnvironments } from "./environment-changes.ts";

const NAMESPACE = "team-time";
const PATH = `/apis/terrarium.dev/v1alpha1/namespaces/${NAMESPACE}/environments`;

type Fields = Readonly<Record<string, unknown>>;

let count = 0;

/** An Environment that the API server accepts, but for what is said about time. */
function anEnvironment(spec: Fields, name = `env-${++count}`) {
  return {
    apiVersion: "terrarium.dev/v1alpha1",
    kind: "Environment",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      source: { inline: { "main.tf": "" } },
      components: [{ name: "network", terraform: {} }],
      ...spec,
    },
  };
}

const aWindow = (more: Fields = {}): Fields => ({ name: "nights", schedule: "0 22 * * *", duration: "2h", ...more });
const windows = (...list: readonly Fields[]): Fields => ({ windows: list });
const schedule = (text: string): Fields => windows(aWindow({ schedule: text }));

const lifetime = (fields: Fields): Fields => ({ lifetime: fields });
const whatThen = "then";

const nights = { schedule: "0 20 * * 1-5", wake: "0 7 * * 1-5", timeZone: "Europe/Berlin" };
const destroy = { destroy: true };
const replicas = { name: "replicas", value: 0 };

/** Three components that need each other in both ways, and how they sleep. */
function sleeping(how: Readonly<Record<string, Fields>>, spec: Fields = {}): Fields {
  const component = (name: string, more: Fields) => ({
    name,
    terraform: {},
    ...more,
    ...(how[name] === undefined ? {} : { sleep: how[name] }),
  });
  const outputOf = (name: string) => ({ name: "it", valueFrom: { output: { component: name, name: "id" } } });
  return {
    ...lifetime({ sleep: nights }),
    components: [
      component("network", {}),
      component("database", { dependsOn: ["network"] }),
      component("app", { terraform: { variables: [outputOf("database")] } }),
    ],
    ...spec,
  };
}

/** As many references as the lists allow: the rules must stay within the API server's budget. */
function everybodySleeps(): Fields {
  const names = Array.from({ length: 64 }, (_, index) => `component-number-${index}`);
  return {
    ...lifetime({ sleep: nights }),
    components: names.map((name, index) => ({
      name,
      terraform: {},
      dependsOn: names.slice(0, index),
      sleep: destroy,
    })),
  };
}

const oneEnd = "a lifetime has one end (ttl or until), or only a sleep";
const oneSleep = "sleep is exactly one of destroy: true and variables";
const usersToo = "what uses a component that is destroyed in its sleep must be so, too";

const fiveFields = "a schedule is a cron expression of five fields";
const zoneName = "a time zone has a name of the IANA database";
const bounded = (low: string, high: string) => `must be between ${low} and ${high} here`;

const REFUSED: readonly Refusal<Fields>[] = [
  ["a window at an hour that no clock has", schedule("0 25 * * *"), fiveFields],
  ["a window at a minute that no clock has", schedule("60 8 * * *"), fiveFields],
  ["a window on a day that no month has", schedule("0 8 32 * *"), fiveFields],
  ["a window in a month that no year has", schedule("0 8 1 13 *"), fiveFields],
  ["a window with seconds", schedule("0 0 8 * * *"), fiveFields],
  ["a window with four fields", schedule("0 8 * *"), fiveFields],
  ["a window by a nickname", schedule("@daily"), fiveFields],
  ["a window with a step of zero", schedule("*/0 * * * *"), fiveFields],
  ["a window with a command", schedule("0 8 * * $(id)"), fiveFields],
  ["a window with a line more", schedule("0 8 * * *\n"), fiveFields],
  ["an empty schedule", schedule(""), "at least 1 chars long"],
  ["nonsense for a schedule", schedule("every evening"), fiveFields],
  ["a window that lasts no time", windows(aWindow({ duration: "0s" })), bounded("1m", "168h")],
  ["a window that lasts a month", windows(aWindow({ duration: "720h" })), bounded("1m", "168h")],
  ["a time zone with a command", windows(aWindow({ timeZone: "$(id)" })), zoneName],
  ["an offset for a time zone", windows(aWindow({ timeZone: "+02:00" })), zoneName],
  ["a window of another kind", windows(aWindow({ type: "Maybe" })), "Unsupported value"],
  ["a window without a name", windows(aWindow({ name: undefined })), "name: Required value"],
  ["two windows of one name", windows(aWindow(), aWindow()), "Duplicate value"],
  ["a life of no time", lifetime({ ttl: "0s" }), bounded("1m", "87600h")],
  ["a life of ten seconds", lifetime({ ttl: "10s" }), bounded("1m", "87600h")],
  ["a life of a word", lifetime({ ttl: "forever" }), bounded("1m", "87600h")],
  ["a lifetime without an end", lifetime({}), oneEnd],
  ["a lifetime with two ends", lifetime({ ttl: "1h", until: "2030-01-01T00:00:00Z", sleep: nights }), oneEnd],
  ["an end that is no time", lifetime({ until: "tomorrow" }), "must be of type date-time"],
  ["an end on a day that no month has", lifetime({ until: "2026-02-31T00:00:00Z" }), "must be of type date-time"],
  ["a warning of no time", lifetime({ ttl: "1h", warnBefore: "0s" }), bounded("1m", "720h")],
  ["another ending", lifetime({ ttl: "1h", [whatThen]: "Forget" }), "Unsupported value"],
  [
    "an ending that the protection forbids",
    { ...lifetime({ ttl: "1h", [whatThen]: "DeleteObject" }), deletionProtection: true },
    "deletionProtection and lifetime.then DeleteObject contradict each other",
  ],
  ["a sleep at no hour", lifetime({ sleep: { ...nights, schedule: "0 24 * * *" } }), fiveFields],
  ["a sleep without a waking", lifetime({ sleep: { schedule: "0 20 * * *" } }), "wake: Required value"],
  ["a sleep that does nothing", sleeping({ app: {} }), oneSleep],
  ["a sleep that destroys nothing", sleeping({ app: { destroy: false } }), oneSleep],
  ["a sleep of two kinds", sleeping({ app: { destroy: true, variables: [replicas] } }), oneSleep],
  ["a sleep with no variables", sleeping({ app: { variables: [] } }), "should have at least 1 items"],
  ["a variable of a sleep without a value", sleeping({ app: { variables: [{ name: "a" }] } }), "value: Required value"],
  [
    "a component's sleep that never comes",
    { ...sleeping({ app: destroy }), lifetime: undefined },
    "say in lifetime.sleep when it does",
  ],
  ["a sleep that takes away what others depend on", sleeping({ network: destroy }), usersToo],
  [
    "a sleep that takes away what others use the outputs of",
    sleeping({ database: destroy, app: { variables: [replicas] } }),
    usersToo,
  ],
  [
    "a sleep that destroys what is to be retained",
    sleeping({ app: destroy }, { deletionPolicy: "Retain" }),
    "sleep.destroy and deletionPolicy Retain contradict each other",
  ],
  [
    "nine windows",
    windows(...Array.from({ length: 9 }, (_, index) => aWindow({ name: `w${index}` }))),
    "must have at most 8 items",
  ],
];

const ACCEPTED: readonly Acceptance<Fields>[] = [
  ["windows of both kinds", windows(aWindow(), aWindow({ name: "freeze", type: "Deny", schedule: "0 0 24 12 *" }))],
  ["lists, ranges, steps and names", schedule("*/15,7 8-18/2 1,15 JAN-MAR,12 MON-FRI")],
  [
    "a sleep of all that is used, and of one that is scaled",
    sleeping({ network: { variables: [replicas] }, database: destroy, app: destroy }),
  ],
  ["a sleep and an end", lifetime({ ttl: "72h", sleep: nights })],
  ["the largest sleep, of components that all use each other", everybodySleeps()],
  ["a life of three days", lifetime({ ttl: "72h", warnBefore: "30m" })],
  [
    "an end with an offset, and the object's deletion after it",
    lifetime({ until: "2030-01-01T00:00:00+02:00", [whatThen]: "DeleteObject" }),
  ],
  ["an end in the past", lifetime({ until: "2020-01-01T00:00:00Z" })],
  ["protection of what ends and stays", { ...lifetime({ ttl: "1h" }), deletionProtection: true }],
  ["a zone of three parts", windows(aWindow({ timeZone: "America/Argentina/Buenos_Aires" }))],
  ["a zone with a sign", windows(aWindow({ timeZone: "Etc/GMT+2" }))],
];

describe("admission of what is said about time", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await namespaceOfEnvironments(NAMESPACE);
  });

  const create = (spec: Fields) => api.create(PATH, anEnvironment(spec));
  itRefuses(REFUSED, create);
  itAccepts(ACCEPTED, create);

  it("accepts the example of a preview", async () => {
    const text = await readFile(join(import.meta.dirname, "../../examples/preview/environment.yaml"), "utf8");
    const { status, message } = await api.create(PATH, parse(text));
    assert.equal(status, 201, message);
  });

  it("fills in how a lifetime ends, and when that is announced", async () => {
    const { body } = await made(api.create(PATH, anEnvironment(lifetime({ ttl: "72h" }))));
    assert.deepEqual((body.spec as Fields).lifetime, { ttl: "72h", warnBefore: "1h", [whatThen]: "Destroy" });
  });

  it("refuses an extension that is no time, whoever writes it, and accepts one that is", async () => {
    const name = "extended";
    await made(api.create(PATH, anEnvironment(lifetime({ ttl: "72h" }), name)));
    const extend = (until: string) =>
      api.patch(`${PATH}/${name}`, { metadata: { annotations: { "terrarium.dev/extend-until": until } } });
    for (const until of ["tomorrow", "2026-12-31", "", "2026-13-01T00:00:00Z", "2026-12-31T18:00:00Z; rm"]) {
      const { status, message } = await extend(until);
      assert.equal(status, 422, `${until}: ${message}`);
      assert.ok(message.includes("extend-until is a time as in 2026-12-31T18:00:00Z, and not"), message);
    }
    for (const until of ["2026-12-31T18:00:00Z", "2026-12-31T18:00:00.5+02:00"])
      assert.equal((await extend(until)).status, 200);
  });

  it("fills in that a window allows, in UTC", async () => {
    const { body } = await made(api.create(PATH, anEnvironment(windows(aWindow()))));
    const { windows: stored } = body.spec as { windows: readonly Fields[] };
    assert.deepEqual(stored, [aWindow({ type: "Allow", timeZone: "UTC" })]);
  });
});

describe("protection from deletion", function () {
  this.timeout(120_000);
  const name = "protected";
  const path = `/apis/terrarium.dev/v1alpha1/namespaces/team-protection/environments`;
  let api: Api;

  before(async () => {
    api = await chartApi();
    await made(api.create("/api/v1/namespaces", namespace("team-protection")));
    await bindPeople(api, "team-protection");
    const manifest = anEnvironment({ deletionProtection: true }, name);
    await made(api.create(path, { ...manifest, metadata: { name } }));
    await until(
      () => api.call({ method: "DELETE", path: `${path}/${name}?dryRun=All`, as: PEOPLE.editor }),
      ({ message }) => message.includes("is protected from deletion"),
    );
  });

  const protectedFrom = ["admin", "namespaceAdmin", "editor", "garbageCollector", "namespaceController"] as const;
  for (const who of protectedFrom) {
    it(`is kept from ${who}, one by one and all at once, with the way to lift it`, async () => {
      // The garbage collector has no right to delete all at once.
      for (const target of who === "garbageCollector" ? [`${path}/${name}`] : [`${path}/${name}`, path]) {
        const { status, message } = await api.delete(target, PEOPLE[who]);
        assert.equal(status, 403, message);
        assert.ok(
          message.includes(
            `to lift that: kubectl patch environment ${name} -n team-protection --type=merge -p '{"spec":{"deletionProtection":false}}'`,
          ),
          message,
        );
      }
    });
  }

  it("is lifted by an edit, as it says", async () => {
    await made(api.patch(`${path}/${name}`, { spec: { deletionProtection: false } }, PEOPLE.editor));
    assert.equal((await api.delete(`${path}/${name}`, PEOPLE.editor)).status, 200);
  });

  it("keeps the operator from deleting what is not to be deleted at the end of a lifetime", async () => {
    await made(api.create(path, { ...anEnvironment({}, "plain"), metadata: { name: "plain" } }));
    const refused = await api.delete(`${path}/plain`, PEOPLE.operator);
    assert.equal(refused.status, 403);
    assert.match(refused.message, /only at the end of a lifetime whose spec says DeleteObject/);
    const ending = lifetime({ ttl: "1m", [whatThen]: "DeleteObject" });
    await made(api.create(path, { ...anEnvironment(ending, "ends"), metadata: { name: "ends" } }));
    assert.equal((await api.delete(`${path}/ends`, PEOPLE.operator)).status, 200);
  });
});
