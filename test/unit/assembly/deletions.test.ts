import assert from "node:assert/strict";
import type { CachedEnvironment, Caches } from "../../../operator/assembly/caches.ts";
import { environmentPorts } from "../../../operator/assembly/environment-ports.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";

function deletedAt(name: string, seconds?: number) {
  const deletionTimestamp =
    seconds === undefined ? {} : { deletionTimestamp: new Date(T0 + seconds * 1000).toISOString() };
  return anEnvironment([aComponent("a")], { metadata: { name, ...deletionTimestamp } });
}

describe("Environments that are deleted together", () => {
  const all = [
    deletedAt("lives"),
    deletedAt("long ago", -61),
    deletedAt("before", -60),
    deletedAt("now", 0),
    deletedAt("after", 60),
    deletedAt("later", 61),
  ];
  const environments = { list: () => all } as unknown as Caches["environments"];
  const parts = { caches: { environments }, following: {} } as unknown as Parameters<typeof environmentPorts>[0];
  const togetherWith = (name: string) =>
    environmentPorts(parts).deletedTogether(all.find(({ metadata }) => metadata.name === name) as CachedEnvironment);

  it("are those whose deletion was asked for within a minute, before or after, and itself", () => {
    assert.equal(togetherWith("now"), 3);
    assert.equal(togetherWith("long ago"), 2);
  });
});
