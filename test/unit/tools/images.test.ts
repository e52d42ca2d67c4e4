import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, checkout, MissingProgram, programs } from "../../../tools/bundle.ts";
import { contentKey, keyOf } from "../../../tools/images/cache.ts";
import { binaryGroups, providers, registries, stageProviders } from "../../../tools/images/engines.ts";

describe("the images", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "images-"));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("hold the same providers however they are built", async () => {
    const versions = await readFile(join(checkout, "tools/images/providers/versions.tf"), "utf8");
    const settings = await readFile(join(checkout, "tools/images/providers/cli.tfrc"), "utf8");
    for (const { source, version } of providers) {
      assert.match(versions, new RegExp(`source\\s+= "${source}"\\s+version = "${version}"`));
    }
    const all = registries.flatMap((registry) => providers.map(({ source }) => `"${registry}/${source}"`));
    for (const list of ["include", "exclude"]) {
      assert.ok(settings.includes(`${list} = [${all.join(", ")}]`), `${list} of cli.tfrc`);
    }
  });

  it("offer each provider under the names of both registries", async () => {
    const binary = join(folder, "binary");
    await writeFile(binary, "program", { mode: 0o755 });
    await stageProviders(join(folder, "mirror"), new Map(providers.map(({ program }) => [program, binary])));
    for (const registry of registries) {
      for (const { source, version, program } of providers) {
        const platform = join(folder, "mirror", registry, source, version, "linux_amd64");
        assert.deepEqual(await readdir(platform), [`${program}_v${version}`]);
        assert.ok(((await stat(join(platform, `${program}_v${version}`))).mode & 0o111) !== 0);
      }
    }
    const link = join(folder, "mirror/registry.terraform.io/hashicorp/time/0.14.2/linux_amd64");
    assert.ok(!(await readlink(link)).startsWith("/"), "the link must hold wherever the folder is copied");
  });

  it("need no engine to be compiled when no runner is wanted", () => {
    assert.deepEqual(binaryGroups([]), []);
    assert.ok(binaryGroups(["terraform"]).includes("terraform"));
    assert.ok(!binaryGroups(["terraform"]).includes("opentofu"));
  });

  it("are told apart by what is in them, and by nothing else", async () => {
    const make = async (name: string, text: string) => {
      await mkdir(join(folder, name, "sub"), { recursive: true });
      await writeFile(join(folder, name, "sub/file"), text);
      await symlink("sub/file", join(folder, name, "link"));
      return contentKey(join(folder, name));
    };
    const first = await make("a", "text");
    assert.equal(await make("b", "text"), first);
    assert.notEqual(await make("c", "other"), first);
    await chmod(join(folder, "b/sub/file"), 0o755);
    assert.notEqual(await contentKey(join(folder, "b")), first);
    assert.notEqual(keyOf(["ab", "c"]), keyOf(["a", "bc"]));
  });
});

describe("the bundles", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "bundle-"));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  it("are the same bytes for the same sources, one file for each program", async () => {
    const only = ["gitserver", "launcher"] as const;
    const [first = "", launcher = ""] = await bundle({ outdir: join(folder, "one"), version: "1.0.0", only });
    const [second = ""] = await bundle({ outdir: join(folder, "two"), version: "1.0.0", only });
    assert.deepEqual(await readFile(first), await readFile(second));
    assert.deepEqual((await readdir(join(folder, "one"))).sort(), ["gitserver.mjs", "launcher.mjs"]);
    assert.ok((await stat(launcher)).size < 500_000, "a launcher of this size has dependencies that it does not need");
  });

  it("name the files that are missing", () => {
    assert.match(new MissingProgram(["agent"]).message, /runner\/agent\/main\.ts .*dist\/agent\.mjs.* does not exist/);
  });

  it("are what the Dockerfile copies", async () => {
    const dockerfile = await readFile(join(checkout, "Dockerfile"), "utf8");
    for (const program of Object.keys(programs)) assert.ok(dockerfile.includes(`/${program}.mjs`), program);
  });
});
