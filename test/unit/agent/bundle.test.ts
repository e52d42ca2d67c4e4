import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bundleLimits, packBundle, unpackBundle } from "../../../runner/agent/bundle.ts";
import { Ended } from "../../../runner/agent/ending.ts";

describe("the bundle of a plan that waits", () => {
  let root: string;
  let paths: { readonly in: string; readonly out: string; readonly work: string };
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "bundle-"));
    paths = { in: join(root, "in"), out: join(root, "out"), work: join(root, "out/work") };
    write("out/plan.tfplan", "the plan");
    write("in/source/live/main.tf", "resource");
    write("out/work/live/main.tf", "resource");
    write("in/overlay/live/terrarium_override.tf.json", "{}");
    write("out/work/live/terrarium_override.tf.json", "{}");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("has the plan, and the files that were made or changed while planning, and nothing else", async () => {
    write("out/work/live/lambda.zip", "made by a data source");
    write("out/work/live/.terraform.lock.hcl", "provider versions");
    write("out/work/shared/settings.json", "made beside the module");
    write("out/work/live/.terraform/providers/x", "downloaded");
    write("out/work/live/errored.tfstate", "somebody else's trouble");
    write("elsewhere", "not of this tree");
    symlinkSync(join(root, "elsewhere"), join(paths.work, "live/link"));
    const overlay = join(root, "fresh");
    const plan = await unpackBundle(await packBundle(paths), overlay);
    assert.equal(plan.toString(), "the plan");
    const read = (path: string) => readFileSync(join(overlay, path), "utf8");
    assert.equal(read("live/lambda.zip"), "made by a data source");
    assert.equal(read("live/.terraform.lock.hcl"), "provider versions");
    assert.equal(read("shared/settings.json"), "made beside the module");
    for (const absent of [
      "live/main.tf",
      "live/terrarium_override.tf.json",
      "live/.terraform",
      "live/errored.tfstate",
      "live/link",
    ])
      assert.throws(() => read(absent), absent);
  });

  it("replaces what is laid out already: the lock file of the providers comes with the archive, too", async () => {
    write("out/work/live/.terraform.lock.hcl", "versions of the plan");
    write("fresh/live/.terraform.lock.hcl", "versions of the archive");
    await unpackBundle(await packBundle(paths), join(root, "fresh"));
    assert.equal(readFileSync(join(root, "fresh/live/.terraform.lock.hcl"), "utf8"), "versions of the plan");
  });

  it("is the same for the same plan, so that a repeated upload is recognised", async () => {
    write("out/work/live/made.txt", "made");
    assert.deepEqual(await packBundle(paths), await packBundle(paths));
  });

  describe("with modules that init fetched", () => {
    const modules = "live/.terraform/modules";
    const unpacked = async () => {
      await unpackBundle(await packBundle(paths), join(root, "fresh"));
      return (path: string) => readFileSync(join(root, "fresh", modules, path), "utf8");
    };
    beforeEach(() => {
      write(`out/work/${modules}/modules.json`, "where they are");
      write(`out/work/${modules}/vpc/main.tf`, "resource");
    });

    it("has every file of theirs, whatever its name, with what the engine knows about them, and not what git keeps", async () => {
      write(`out/work/${modules}/vpc/errored.tfstate`, "an example");
      write(`out/work/${modules}/vpc/.terraform/modules/x`, "committed with the module");
      write(`out/work/${modules}/vpc/.git/config`, "https://reader:password@git.example.com/vpc.git");
      write("out/work/live/.terraform/terraform.tfstate", "which backend");
      const read = await unpacked();
      assert.equal(read("modules.json"), "where they are");
      assert.equal(read("vpc/main.tf"), "resource");
      assert.equal(read("vpc/errored.tfstate"), "an example");
      assert.equal(read("vpc/.terraform/modules/x"), "committed with the module");
      for (const absent of ["vpc/.git/config", "../terraform.tfstate"]) assert.throws(() => read(absent), absent);
    });

    it("keeps modes, links and empty folders", async () => {
      write(`out/work/${modules}/vpc/tool.sh`, "#!/bin/sh");
      chmodSync(join(paths.work, modules, "vpc/tool.sh"), 0o775);
      mkdirSync(join(paths.work, modules, "vpc/generated"));
      symlinkSync("vpc", join(paths.work, modules, "same"));
      symlinkSync("/modules/of/the/image", join(paths.work, modules, "local"));
      await unpacked();
      const at = (path: string) => join(root, "fresh", modules, path);
      assert.equal(statSync(at("vpc/tool.sh")).mode & 0o777, 0o775);
      assert.ok(statSync(at("vpc/generated")).isDirectory());
      assert.deepEqual([readlinkSync(at("same")), readlinkSync(at("local"))], ["vpc", "/modules/of/the/image"]);
    });

    it("stores what many calls have in common once", async () => {
      const content = randomBytes(300_000).toString("hex");
      for (const call of ["a", "b", "c"]) write(`out/work/${modules}/${call}/large.txt`, content);
      const bundle = await packBundle(paths, { ...bundleLimits, modules: 700_000 });
      assert.ok(bundle.length < 400_000, `${bundle.length} bytes`);
      const read = await unpacked();
      for (const call of ["a", "b", "c"]) assert.equal(read(`${call}/large.txt`), content);
    });

    it("says what to do when they are too large to wait", async () => {
      for (const call of ["a", "b"]) write(`out/work/${modules}/${call}/large.txt`, call.repeat(1024 * 1024));
      const packed = (limits: Partial<typeof bundleLimits>) => packBundle(paths, { ...bundleLimits, ...limits });
      await assert.rejects(packed({ modules: 1024 * 1024 }), (error: unknown) => {
        assert.ok(error instanceof Ended);
        assert.match(
          error.outcome.message,
          /too large to wait for approval: the modules that init fetched have more than 1 MiB\. Keep large files out/,
        );
        assert.equal(error.outcome.retry, "Never");
        return true;
      });
      await assert.rejects(packed({ modules: 1024, files: 1024 }), /a\/large\.txt is larger than 1024 bytes/);
      await assert.rejects(packed({ entries: 3 }), /more than 3 files/);
    });
  });

  it("needs a plan", async () => {
    rmSync(join(root, "out/plan.tfplan"));
    await assert.rejects(packBundle(paths), /left no plan/);
  });
});
