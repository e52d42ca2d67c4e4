import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import type { FollowedSource } from "../../../operator/environment/observation.ts";
import { observe } from "../../../operator/environment/observe.ts";
import type { EnvironmentPorts } from "../../../operator/environment/ports.ts";
import type { ComponentRecord, UsedLogin } from "../../../operator/storage/record.ts";
import { aComponent, anEnvironment, aRecord, T0 } from "../../fakes/objects.ts";

const signal = new AbortController().signal;

/** The cache has not heard yet of what the store holds. */
function recordsSeen(deletionTimestamp: string | undefined) {
  const environment = anEnvironment([aComponent("network")], {
    metadata: deletionTimestamp === undefined ? {} : { deletionTimestamp },
  });
  const ports = {
    environment: () => environment,
    runsOf: () => [],
    recordsOf: () => [],
    freshRecordsOf: () => Promise.resolve([aRecord("network")]),
    follow: () => {},
    stopFollowing: () => {},
    deletedTogether: () => 1,
    usualDeletions: 0,
    revisionOf: () => ({ state: "unfollowed" }),
    crdTerminating: () => Promise.resolve(false),
    catalogue: [],
    now: () => new Date(T0),
  } as unknown as EnvironmentPorts;
  return observe("team", "shop", ports, signal).then((observation) => observation?.records.length);
}

/** What the observation of this Environment asks to be followed, component by component. */
async function followedFor(environment: Environment, records: readonly ComponentRecord[] = []) {
  let followed: readonly FollowedSource[] = [];
  const ports = {
    environment: () => environment,
    runsOf: () => [],
    recordsOf: () => records,
    follow: (_environment: Environment, sources: readonly FollowedSource[]) => {
      followed = sources;
    },
    usualDeletions: 0,
    catalogue: [],
    now: () => new Date(T0),
  } as unknown as EnvironmentPorts;
  await observe("team", "shop", ports, signal);
  return followed;
}

describe("What is decided about an Environment", () => {
  it("goes by the store itself when the Environment is being deleted: what a cache misses would be orphaned", async () => {
    assert.equal(await recordsSeen("2026-01-01T00:00:00Z"), 1);
  });

  it("goes by the cache otherwise, and costs no request", async () => {
    assert.equal(await recordsSeen(undefined), 0);
  });
});

describe("A source whose server has certificates of its own", () => {
  const runner = { caBundle: { configMapKeyRef: { name: "ca", key: "ca.crt" } } };
  const git = { url: "https://git.example.com/infra.git", interval: "5m" };
  const other = { url: "https://other.example.com/infra.git", interval: "5m" };
  const components = [
    aComponent("network", { runner }),
    aComponent("database"),
    aComponent("site", { terraform: { path: ".", source: { git: other } } }),
  ];

  it("is the runner's to look up for all who use its url, wherever the certificates are named", async () => {
    const ownCa = async (environment: Environment) =>
      (await followedFor(environment)).map(({ usesOwnCa }) => usesOwnCa);
    assert.deepEqual(await ownCa(anEnvironment(components, { spec: { source: { git } } })), [true, true, false]);
    assert.deepEqual(await ownCa(anEnvironment(components.slice(1), { spec: { source: { git } } })), [false, false]);
    assert.deepEqual(await ownCa(anEnvironment(components.slice(1), { spec: { source: { git }, runner } })), [
      true,
      true,
    ]);
  });
});

describe("A private source", () => {
  const url = "https://git.example.com/infra.git";
  const login = (password: string, used: Partial<UsedLogin>): UsedLogin => ({ username: "robot", password, ...used });

  /** The credentials with which each component's source is followed, while the records hold these logins. */
  async function followedWith(...logins: readonly UsedLogin[]) {
    const source = { git: { url, interval: "5m", secretRef: { name: "login" } } };
    const applied = { inputs: { source } } as ComponentRecord["applied"] & {};
    const records = logins.map((sourceCredentials, index) => aRecord(`c${index}`, { applied, sourceCredentials }));
    const followed = await followedFor(anEnvironment([aComponent("network")], { spec: { source } }), records);
    return followed.map(({ credentials }) => credentials);
  }

  it("is followed with the newest login that any runner used for it", async () => {
    const old = login("old", { url, at: "2026-01-01T00:00:00.000Z" });
    const fresh = login("fresh", { url, at: "2026-02-01T00:00:00.000Z" });
    const expected = [{ username: "robot", password: "fresh" }];
    assert.deepEqual(await followedWith(old, fresh), expected);
    assert.deepEqual(await followedWith(fresh, old), expected);
  });

  it("is never asked for with a login of another url, nor with one of which nobody knows what it is for", async () => {
    const foreign = login("foreign", { url: "https://other.example.com/infra.git", at: "2026-02-01T00:00:00.000Z" });
    assert.deepEqual(await followedWith(foreign, login("nameless", {})), [undefined]);
  });
});
