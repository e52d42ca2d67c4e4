import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FetchRequest, fetchGit } from "../../../operator/source/git.ts";
import { aRepository, type GitServer, type GitServerOptions, type Repository, startGitServer } from "./git-server.ts";

describe("fetchGit", () => {
  let repository: Repository;
  let place: string;
  const open: GitServer[] = [];

  const serve = async (options: GitServerOptions = {}): Promise<string> => {
    const server = await startGitServer(repository.root, options);
    open.push(server);
    return `${server.url}/modules.git`;
  };
  const fetch = (url: string, rest: Partial<FetchRequest> = {}) =>
    fetchGit({
      url,
      directory: join(place, "source"),
      scratch: place,
      timeoutMs: 15_000,
      signal: new AbortController().signal,
      ...rest,
    });
  const files = () => readdir(join(place, "source"), { recursive: true });
  const content = (path: string) => readFile(join(place, "source", path), "utf8");

  beforeEach(async () => {
    repository = await aRepository();
    place = await mkdtemp(join(tmpdir(), "terrarium-fetch-test-"));
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
    await repository.remove();
    await rm(place, { recursive: true, force: true });
  });

  it("writes the files of the branch, and nothing of git's own", async () => {
    const commit = await repository.commit("main", { "live/net/main.tf": "# net", "README.md": "hello" });
    assert.deepEqual(await fetch(await serve()), { revision: commit });
    assert.deepEqual((await files()).sort(), ["README.md", "live", "live/net", "live/net/main.tf"]);
    assert.deepEqual(await readdir(place), ["source"]);
  });

  for (const modern of [true, false]) {
    it(`writes a commit that the branch has left behind (${modern ? "new" : "old"} protocol)`, async () => {
      const old = await repository.commit("main", { "main.tf": "# old" });
      await repository.commit("main", { "main.tf": "# new" });
      assert.deepEqual(await fetch(await serve({ modern }), { revision: old }), { revision: old });
      assert.equal(await content("main.tf"), "# old");
    });
  }

  it("finds a commit on another branch where the server gives only tips", async () => {
    const old = await repository.commit("feature", { "main.tf": "# old" });
    await repository.commit("feature", { "main.tf": "# newer" });
    await repository.commit("main", { "main.tf": "# main" });
    const url = await serve({ modern: false });
    assert.deepEqual(await fetch(url, { ref: { commit: old } }), { revision: old });
    assert.equal(await content("main.tf"), "# old");
  });

  it("takes a recorded commit although its branch is gone", async () => {
    const commit = await repository.commit("feature", { "main.tf": "# kept by a tag" });
    await repository.git("tag", "kept", commit);
    await repository.git("update-ref", "-d", "refs/heads/feature");
    await repository.commit("main", { "main.tf": "# main" });
    const url = await serve({ modern: false });
    await fetch(url, { ref: { branch: "feature" }, revision: commit });
    assert.equal(await content("main.tf"), "# kept by a tag");
  });

  for (const modern of [true, false]) {
    it(`says that a commit was pushed away (${modern ? "new" : "old"} protocol)`, async () => {
      const lost = await repository.commit("main", { "main.tf": "# lost" });
      await repository.commit("main", { "main.tf": "# forced" }, { orphan: true });
      await repository.git("reflog", "expire", "--expire=now", "--all");
      await repository.git("prune", "--expire=now");
      await assert.rejects(fetch(await serve({ modern }), { revision: lost }), {
        reason: "GitRefNotFound",
        message: new RegExp(`${lost} is not in the repository`),
      });
    });
  }

  it("keeps links that stay inside", async () => {
    const links = ["live/common.tf"];
    await repository.commit("main", { "live/common.tf": "../shared/common.tf", "shared/common.tf": "# c" }, { links });
    await fetch(await serve());
    assert.equal(await readlink(join(place, "source/live/common.tf")), "../shared/common.tf");
  });

  const escapes: Readonly<Record<string, string>> = {
    absolute: "/etc/passwd",
    climbing: "../../etc/passwd",
    "climbing through another name": "live/../../x",
  };
  for (const [what, target] of Object.entries(escapes)) {
    it(`refuses an ${what} link and leaves nothing behind`, async () => {
      await repository.commit("main", { "live/evil": target, "main.tf": "#" }, { links: ["live/evil"] });
      await assert.rejects(fetch(await serve()), { reason: "GitFailed", message: /live\/evil.*leads out of it/ });
      assert.deepEqual(await readdir(place), ["source"]);
      assert.deepEqual(await files(), []);
    });
  }

  it("refuses a checkout that is larger than allowed, before it writes", async () => {
    await repository.commit("main", { "big.bin": "x".repeat(2 * 1024 * 1024) });
    await assert.rejects(fetch(await serve(), { maxBytes: 1024 * 1024 }), {
      reason: "GitFailed",
      message: /checkout is larger than 1 MiB/,
    });
    assert.deepEqual(await files(), []);
  });

  it("refuses a download that is larger than allowed", async () => {
    const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString("base64");
    await repository.commit("main", { "big.bin": noise });
    await assert.rejects(fetch(await serve(), { maxBytes: 10_000 }), { message: /download is larger/ });
  });

  it("runs no filter, no hook and no submodule that the repository asks for", async () => {
    await repository.commit("main", {
      ".gitattributes": "*.bin filter=lfs\n*.tf filter=evil",
      ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = https://git.invalid/x.git\n',
      ".lfsconfig": "[lfs]\n\turl = https://lfs.invalid/\n",
      "main.tf": "# as it is",
      "large.bin": "version https://git-lfs.github.com/spec/v1\n",
    });
    await fetch(await serve());
    assert.equal(await content("main.tf"), "# as it is");
    assert.match(await content("large.bin"), /git-lfs/);
  });

  it("does not write into a folder that holds something", async () => {
    await repository.commit("main", { "main.tf": "#" });
    await writeFile(join(place, "theirs"), "");
    await assert.rejects(fetch(await serve(), { directory: place }), /must be empty/);
    assert.deepEqual(await readdir(place), ["theirs"]);
  });

  it("gives up a transfer that stalls", async () => {
    const commit = await repository.commit("main", { "main.tf": "#" });
    const url = await serve({ intercept: (request) => request.url?.endsWith("/git-upload-pack") === true });
    await assert.rejects(fetch(url, { revision: commit, timeoutMs: 500 }), {
      reason: "GitHostUnknown",
      message: /within \d+ s/,
    });
    assert.deepEqual(await readdir(place), ["source"]);
  });
});
