import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheKey } from "../../../tools/cluster/binaries.ts";
import { ALL_GROUPS, BINARY_GROUPS, type BinaryGroup, goBuildArguments } from "../../../tools/cluster/binary-groups.ts";
import { isNewEnough, parseGoVersion, pypiVersion, requiredGo } from "../../../tools/cluster/go-toolchain.ts";
import { cacheDirectory } from "../../../tools/cluster/paths.ts";

const group: BinaryGroup = {
  module: "tool",
  programs: { tool: "example.com/tool" },
  variables: { "main.version": "1" },
};

describe("the cache of built programs", () => {
  const key = cacheKey("tool", group, "mod", "sum");

  it("finds a program again that was built from the same versions in the same way", () => {
    assert.equal(cacheKey("tool", { ...group }, "mod", "sum"), key);
    assert.match(key, /^tool-[0-9a-f]{16}$/);
  });

  const changes: readonly (readonly [string, string])[] = [
    ["a module's version", cacheKey("tool", group, "mod2", "sum")],
    ["a module's checksum", cacheKey("tool", group, "mod", "sum2")],
    ["text that moved from one file to the other", cacheKey("tool", group, "mods", "um")],
    ["a linker variable", cacheKey("tool", { ...group, variables: { "main.version": "2" } }, "mod", "sum")],
    ["the list of programs", cacheKey("tool", { ...group, programs: { other: "example.com/other" } }, "mod", "sum")],
  ];
  for (const [what, changed] of changes) {
    it(`builds again after a change of ${what}`, () => assert.notEqual(changed, key));
  }

  it("is where the person wants caches to be", () => {
    assert.equal(cacheDirectory({ XDG_CACHE_HOME: "/big/disk" }), "/big/disk/terrarium");
    assert.match(cacheDirectory({ XDG_CACHE_HOME: "" }), /\/\.cache\/terrarium$/);
  });
});

describe("the groups of programs", () => {
  for (const name of ALL_GROUPS) {
    it(`${name}: each package is a pinned tool of its module`, async () => {
      const wanted: BinaryGroup = BINARY_GROUPS[name];
      const folder = join(import.meta.dirname, "../../../tools/cluster/go", wanted.module);
      const goMod = await readFile(join(folder, "go.mod"), "utf8");
      for (const path of Object.values(wanted.programs)) {
        assert.match(goMod, new RegExp(`^(tool |\\t)${path.replaceAll(".", "\\.")}$`, "m"));
      }
    });
  }

  it("give the linker every variable", () => {
    assert.deepEqual(goBuildArguments(group), ["build", "-v", "-trimpath", "-ldflags", "-s -w -X main.version=1"]);
  });

  it("tell programs the version that go.mod pins", async () => {
    const folder = join(import.meta.dirname, "../../../tools/cluster/go/kubernetes");
    const goMod = await readFile(join(folder, "go.mod"), "utf8");
    const version = BINARY_GROUPS.kubernetes.variables["k8s.io/component-base/version.gitVersion"];
    assert.match(goMod, new RegExp(`k8s\\.io/kubernetes ${version.replaceAll(".", "\\.")}\\b`));
    assert.match(
      goMod,
      new RegExp(
        `helm\\.sh/helm/v3 ${BINARY_GROUPS.helm.variables["helm.sh/helm/v3/internal/version.version"].replaceAll(".", "\\.")}\\b`,
      ),
    );
  });
});

describe("the Go toolchain", () => {
  const versions: readonly (readonly [string, boolean])[] = [
    ["go version go1.26.6 linux/amd64", true],
    ["go version go1.26.8 linux/amd64", true],
    ["go version go1.27 linux/arm64", true],
    ["go version go2.0.1 linux/amd64", true],
    ["go version go1.26.5 linux/amd64", false],
    ["go version go1.19.8 linux/amd64", false],
  ];
  for (const [output, expected] of versions) {
    it(`"${output}" is ${expected ? "new enough" : "too old"} for a module that asks for 1.26.6`, () => {
      assert.equal(isNewEnough(parseGoVersion(output) ?? [0], requiredGo("module x\n\ngo 1.26.6\n")), expected);
    });
  }

  it("comes from PyPI in the oldest version that the module accepts", () => {
    assert.equal(pypiVersion([1, 26, 0]), "1.26.6");
    assert.equal(pypiVersion([1, 26, 6]), "1.26.6");
    assert.equal(pypiVersion([1, 26, 8]), "1.27.3");
    assert.throws(() => pypiVersion([1, 99, 0]), /Go 1\.99\.0 or newer is needed/);
  });

  for (const name of ALL_GROUPS) {
    it(`for ${name} is one that PyPI offers`, async () => {
      const folder = join(import.meta.dirname, "../../../tools/cluster/go", BINARY_GROUPS[name].module);
      assert.ok(pypiVersion(requiredGo(await readFile(join(folder, "go.mod"), "utf8"))));
    });
  }
});
