import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createRepository, moveRef, pushCommit, removeRepository } from "../../../tools/gitserver/client.ts";
import { createGitServer, routeOf } from "../../../tools/gitserver/server.ts";

const git = async (...args: string[]) => {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_GLOBAL: "/dev/null" };
  return (await promisify(execFile)("git", args, { env })).stdout.trim();
};

const admin = { username: "admin", password: "secret" };

describe("the git server of the demo and the tests", () => {
  let root: string;
  let base: string;
  let server: ReturnType<typeof createGitServer>;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "gitserver-"));
    server = createGitServer({ root: join(root, "repositories"), admin: "admin:secret" });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(async () => {
    server.close();
    server.closeAllConnections();
    await rm(root, { recursive: true, force: true });
  });

  it("serves what was pushed, and the same content makes no second commit", async () => {
    const remote = { url: `${base}/shop/infra.git`, credentials: admin };
    await createRepository(remote.url, admin);
    const first = await pushCommit(remote, { content: { files: { "live/network/main.tf": "# one\n" } } });
    assert.equal(await pushCommit(remote, { content: { files: { "live/network/main.tf": "# one\n" } } }), first);
    const second = await pushCommit(remote, { content: { files: { "live/network/main.tf": "# two\n" } } });
    assert.notEqual(second, first);
    assert.equal(await git("ls-remote", remote.url, "refs/heads/main"), `${second}\trefs/heads/main`);
    await git("clone", "--quiet", remote.url, join(root, "clone"));
    assert.equal(await git("-C", join(root, "clone"), "log", "--format=%H"), `${second}\n${first}`);
  });

  it("moves a branch back and sets a tag", async () => {
    const remote = { url: `${base}/moves.git`, credentials: admin };
    await createRepository(remote.url, admin);
    const first = await pushCommit(remote, { content: { files: { a: "1" } } });
    await pushCommit(remote, { content: { files: { a: "2" } } });
    await moveRef(remote, "refs/heads/main", first);
    await moveRef(remote, "refs/tags/v1", first);
    const refs = await git("ls-remote", remote.url, "refs/heads/main", "refs/tags/v1");
    assert.deepEqual(
      refs.split("\n").map((line) => line.split("\t")[0]),
      [first, first],
    );
  });

  it("carries a push that is larger than git's buffer", async () => {
    const remote = { url: `${base}/large.git`, credentials: admin };
    await createRepository(remote.url, admin);
    const noise = Array.from({ length: 60_000 }, (_, n) => `${n} ${Math.sin(n)}`).join("\n");
    const commit = await pushCommit(remote, { content: { files: { noise } } });
    assert.match(await git("ls-remote", remote.url), new RegExp(commit));
  });

  it("asks for a private repository's own credentials", async () => {
    const credentials = { username: "shop", password: "p:ss wörd" };
    const remote = { url: `${base}/private.git`, credentials };
    await createRepository(remote.url, admin, credentials);
    await pushCommit(remote, { content: { files: { a: "1" } } });
    await assert.rejects(git("ls-remote", remote.url), /could not read Username|Authentication failed/);
    const wrong = { url: remote.url, credentials: { username: "shop", password: "other" } };
    await assert.rejects(pushCommit(wrong, { content: { files: { a: "2" } } }), /401|Authentication|Username/);
  });

  it("lets only the admin make and remove repositories, and push to public ones", async () => {
    const remote = { url: `${base}/mine.git` };
    await assert.rejects(createRepository(remote.url), /401/);
    await createRepository(remote.url, admin);
    await assert.rejects(pushCommit(remote, { content: { files: { a: "1" } } }), /Username/);
    assert.equal(await git("ls-remote", remote.url), "");
    await removeRepository(remote.url, admin);
    await assert.rejects(git("ls-remote", remote.url), /not found/);
  });

  it("names no path outside its repositories", () => {
    for (const path of ["/../etc/x.git", "/a/../b.git", "/a.git/../../b", "/.git", "/-o.git", "/a", "/a.git/x/../y"]) {
      assert.equal(routeOf(path), undefined, path);
    }
    assert.deepEqual(routeOf("/shop/infra.git/info/refs"), { repository: "shop/infra.git", rest: "/info/refs" });
  });
});
