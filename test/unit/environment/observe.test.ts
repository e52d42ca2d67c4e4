import assert from "node:assert/strict";
import { observe } from "../../../operator/environment/observe.ts";
import type { EnvironmentPorts } from "../../../operator/environment/ports.ts";
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

describe("What is decided about an Environment", () => {
  it("goes by the store itself when the Environment is being deleted: what a cache misses would be orphaned", async () => {
    assert.equal(await recordsSeen("2026-01-01T00:00:00Z"), 1);
  });

  it("goes by the cache otherwise, and costs no request", async () => {
    assert.equal(await recordsSeen(undefined), 0);
  });
});
