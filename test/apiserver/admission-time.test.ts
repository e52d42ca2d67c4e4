import assert from "node:assert/strict";
import { type Api, chartApi, made, namespace, until } from "./admission-server.ts";

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
  [
    "nine windows",
    windows(...Array.from({ length: 9 }, (_, index) => aWindow({ name: `w${index}` }))),
    "must have at most 8 items",
  ],
];

const ACCEPTED: readonly (readonly [what: string, spec: Fields])[] = [
  ["windows of both kinds", windows(aWindow(), aWindow({ name: "freeze", type: "Deny", schedule: "0 0 24 12 *" }))],
  ["lists, ranges, steps and names", schedule("*/15,7 8-18/2 1,15 JAN-MAR,12 MON-FRI")],
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

  it("fills in that a window allows, in UTC", async () => {
    const { body } = await made(api.create(PATH, anEnvironment(windows(aWindow()))));
    const { windows: stored } = body.spec as { windows: readonly Fields[] };
    assert.deepEqual(stored, [aWindow({ type: "Allow", timeZone: "UTC" })]);
  });
});
