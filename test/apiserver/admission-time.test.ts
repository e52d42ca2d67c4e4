import assert from "node:assert/strict";
import { type Api, bindPeople, chartApi, made, namespace, PEOPLE, until } from "./admission-server.ts";

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

const fiveFields = "a schedule is a cron expression of five fields";
const zoneName = "a time zone has a name of the IANA database";
const bounded = (low: string, high: string) => `must be between ${low} and ${high} here`;

const REFUSED: readonly (readonly [what: string, spec: Fields, sentence: string])[] = [
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
  ["a lifetime without an end", lifetime({}), "a lifetime has an end: exactly one of ttl and until"],
  [
    "a lifetime with two ends",
    lifetime({ ttl: "1h", until: "2030-01-01T00:00:00Z" }),
    "a lifetime has an end: exactly one of ttl and until",
  ],
  ["an end that is no time", lifetime({ until: "tomorrow" }), "must be of type date-time"],
  ["an end on a day that no month has", lifetime({ until: "2026-02-31T00:00:00Z" }), "must be of type date-time"],
  ["a warning of no time", lifetime({ ttl: "1h", warnBefore: "0s" }), bounded("1m", "720h")],
  ["another ending", lifetime({ ttl: "1h", [whatThen]: "Forget" }), "Unsupported value"],
  [
    "an ending that the protection forbids",
    { ...lifetime({ ttl: "1h", [whatThen]: "DeleteObject" }), deletionProtection: true },
    "deletionProtection and lifetime.then DeleteObject contradict each other",
  ],
  [
    "nine windows",
    windows(...Array.from({ length: 9 }, (_, index) => aWindow({ name: `w${index}` }))),
    "must have at most 8 items",
  ],
];

const ACCEPTED: readonly (readonly [what: string, spec: Fields])[] = [
  ["windows of both kinds", windows(aWindow(), aWindow({ name: "freeze", type: "Deny", schedule: "0 0 24 12 *" }))],
  ["lists, ranges, steps and names", schedule("*/15,7 8-18/2 1,15 JAN-MAR,12 MON-FRI")],
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
    api = await chartApi();
    await made(api.create("/api/v1/namespaces", namespace(NAMESPACE)));
    await until(
      () => api.get(PATH),
      ({ status }) => status === 200,
    );
  });

  for (const [what, spec, sentence] of REFUSED) {
    it(`refuses ${what}`, async () => {
      const { status, message } = await api.create(PATH, anEnvironment(spec));
      assert.ok(status === 422 || status === 400, `${status} ${message}`);
      assert.ok(message.includes(sentence), message.slice(0, 2_000));
    });
  }

  for (const [what, spec] of ACCEPTED) {
    it(`accepts ${what}`, async () => {
      const { status, message } = await api.create(PATH, anEnvironment(spec));
      assert.equal(status, 201, message);
    });
  }

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
