import assert from "node:assert/strict";
import { ConfigError, maxChecksOf, readConfig, roomOf } from "../../operator/config.ts";

const configOf = (more: Readonly<Record<string, string>>) =>
  readConfig({
    TERRARIUM_NAMESPACE: "terrarium-system",
    TERRARIUM_POD_NAME: "terrarium-0",
    TERRARIUM_GATEWAY_URL: "https://terrarium-gateway:8443",
    TERRARIUM_ENGINES: JSON.stringify([{ name: "opentofu", version: "1.12", image: "runner" }]),
    ...more,
  });

describe("How many Checks have a pod at once", () => {
  const rows: readonly (readonly [what: string, runs: string, checks: string, expected: number])[] = [
    ["a quarter of the Runs", "40", "0", 10],
    ["a quarter, rounded down", "7", "0", 1],
    ["one at least", "1", "0", 1],
    ["as many as are told", "40", "3", 3],
    ["as many as are told, also where that is more than the Runs", "2", "9", 9],
  ];
  for (const [what, runs, checks, expected] of rows)
    it(`is ${what}: ${expected} beside ${runs}`, () =>
      assert.equal(maxChecksOf(configOf({ TERRARIUM_MAX_RUNS: runs, TERRARIUM_MAX_CHECKS: checks })), expected));

  it("is a quarter of the usual twenty Runs where nothing is told", () => assert.equal(maxChecksOf(configOf({})), 5));
});

describe("The room for states", () => {
  it("is 64 MiB for one and twice as much for all at once, or what is told, up to 256", () => {
    const roomFor = (mib?: string) => roomOf(configOf(mib === undefined ? {} : { TERRARIUM_MAX_STATE_MIB: mib }));
    assert.deepEqual(roomFor(), { stateBytes: 64 * 2 ** 20, inFlightBytes: 128 * 2 ** 20 });
    assert.deepEqual(roomFor("100"), { stateBytes: 100 * 2 ** 20, inFlightBytes: 200 * 2 ** 20 });
    for (const wrong of ["0", "257", "1.5", "64Mi"]) assert.throws(() => roomFor(wrong), ConfigError);
  });
});
