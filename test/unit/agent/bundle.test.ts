import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packBundle, unpackBundle } from "../../../runner/agent/bundle.ts";

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

  it("needs a plan", async () => {
    rmSync(join(root, "out/plan.tfplan"));
    await assert.rejects(packBundle(paths), /left no plan/);
  });
});
