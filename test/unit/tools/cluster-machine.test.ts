import assert from "node:assert/strict";
import { checkMachine, type Machine } from "../../../tools/cluster/machine.ts";
import { CLUSTERS_DIR, cacheDirectory } from "../../../tools/cluster/paths.ts";

/** A machine that can run a cluster, but for what is said otherwise. */
const aMachine = (otherwise: Partial<Machine> = {}): Machine => ({
  platform: "linux",
  isRoot: true,
  has: async () => true,
  hasFolder: async () => true,
  freeGibibytes: async () => 12,
  ...otherwise,
});

const without = (missing: string) => async (name: string) => name !== missing;
const free = (where: string, gibibytes: number) => async (folder: string) => (folder === where ? gibibytes : 100);

describe("A machine for a local cluster", () => {
  it("is one on which all that is needed is there", () => checkMachine(false, aMachine()));

  const refusals: readonly (readonly [what: string, otherwise: Partial<Machine>, says: RegExp])[] = [
    ["another system", { platform: "darwin" }, /needs Linux; this is darwin/],
    ["another user than root", { isRoot: false }, /needs root .*sudo/],
    ["no unshare", { has: without("unshare") }, /`unshare` is missing: apt-get install util-linux/],
    ["no nsenter", { has: without("nsenter") }, /`nsenter` is missing/],
    ["no flock", { has: without("flock") }, /`flock` is missing/],
    ["no control groups", { hasFolder: without("/sys/fs/cgroup") }, /not mounted at \/sys\/fs\/cgroup/],
    [
      "no room for what a cluster writes",
      { freeGibibytes: free(CLUSTERS_DIR, 1.96) },
      /clusters has 2\.0 GiB free, and 2 GiB are needed\. Free some\.$/,
    ],
    [
      "no room to build the programs",
      { freeGibibytes: free(cacheDirectory(), 11.4) },
      /has 11\.4 GiB free, and 12 GiB are needed\. Free some, or set XDG_CACHE_HOME/,
    ],
  ];
  for (const [what, otherwise, says] of refusals) {
    it(`is refused for ${what}, with what to do`, () =>
      assert.rejects(checkMachine(false, aMachine(otherwise)), { message: says }));
  }

  it("needs little room once the programs are built", () =>
    checkMachine(true, aMachine({ freeGibibytes: async () => 2 })));
});
