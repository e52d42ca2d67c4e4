import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { bundlePlugin } from "../../../tools/bundle.ts";

const run = promisify(execFile);

describe("the bundled plugin", () => {
  let dir: string;
  let program: string;
  const path = `${dirname(process.execPath)}:/usr/bin:/bin`;

  before(async function () {
    this.timeout(60_000);
    dir = await mkdtemp(join(tmpdir(), "terrarium-plugin-"));
    program = join(dir, "kubectl-terrarium");
    await bundlePlugin(program, "1.2.3");
  });
  after(() => rm(dir, { recursive: true, force: true }));

  it("is one file without an extension that runs by itself, as kubectl starts it", async () => {
    const { stdout } = await run(program, ["--version"], { env: { PATH: path }, cwd: "/" });
    assert.equal(stdout, "1.2.3\n");
  });

  it("runs by a link of npm's, too", async () => {
    await symlink(program, join(dir, "link"));
    const { stdout } = await run(join(dir, "link"), ["status", "--help"], { env: { PATH: path }, cwd: "/" });
    assert.match(stdout, /Usage: kubectl terrarium status/);
  });

  it("says which Node it needs on one that is too old", async () => {
    const old = join(dir, "old.cjs");
    await writeFile(
      old,
      'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });',
    );
    const failed = await run(process.execPath, ["--require", old, program, "status"]).catch((error) => error);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /^kubectl-terrarium needs Node 22\.19 or later, and this is v/);
  });

  it("without a kubeconfig says how to name one", async () => {
    const env = { PATH: path, HOME: dir, KUBECONFIG: "" };
    const failed = await run(program, ["status"], { env }).catch((error) => error);
    assert.equal(failed.code, 1);
    assert.equal(failed.stderr, "There is no kubeconfig with a context: name one with --kubeconfig or $KUBECONFIG\n");
  });

  it("ends quietly when nobody reads on", async () => {
    const { stdout } = await run("bash", ["-c", `set -o pipefail; ${program} --help | head -1`], {
      env: { PATH: path },
    }).catch((error) => error);
    assert.match(stdout, /^Environments of Terrarium/);
  });
});
