import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { type GitAccess, GitError, type GitReason, resolveRef } from "../../../operator/source/git.ts";
import { aRepository, type GitServer, type GitServerOptions, type Repository, startGitServer } from "./git-server.ts";

describe("resolveRef", () => {
  let repository: Repository;
  let first: string;
  let second: string;
  const open: GitServer[] = [];

  const serve = async (options: GitServerOptions = {}): Promise<GitServer> => {
    const server = await startGitServer(repository.root, options);
    open.push(server);
    return server;
  };
  const resolve = (url: string, rest: Partial<GitAccess> = {}) =>
    resolveRef({ url, timeoutMs: 10_000, signal: new AbortController().signal, ...rest });

  before(async () => {
    repository = await aRepository();
    first = await repository.commit("main", { "main.tf": "# one" });
    await repository.git("tag", "light", first);
    await repository.git("tag", "--annotate", "--message=released", "v1.0.0", first);
    second = await repository.commit("main", { "main.tf": "# two" });
    await repository.git("update-ref", "refs/heads/release/2.x", first);
    // Ends like a branch that does not exist: ls-remote matches whole path components from the end.
    await repository.git("update-ref", "refs/heads/x/refs/heads/shadow", first);
  });
  after(async () => {
    await Promise.all(open.map((server) => server.close()));
    await repository.remove();
  });

  describe("finds", () => {
    const cases: readonly [string, GitAccess["ref"], () => string][] = [
      ["the branch main where no ref is named", undefined, () => second],
      ["the branch main where the ref is empty", {}, () => second],
      ["a branch with a slash", { branch: "release/2.x" }, () => first],
      ["a lightweight tag", { tag: "light" }, () => first],
      ["the commit behind an annotated tag", { tag: "v1.0.0" }, () => first],
    ];
    for (const [what, ref, expected] of cases) {
      it(what, async () => {
        const server = await serve();
        assert.deepEqual(await resolve(`${server.url}/modules.git`, { ref }), { revision: expected() });
      });
    }

    it("a commit without asking anybody", async () => {
      assert.deepEqual(await resolve("http://127.0.0.1:1/modules.git", { ref: { commit: first } }), {
        revision: first,
      });
    });

    it("the same through the old protocol", async () => {
      const server = await serve({ modern: false });
      assert.deepEqual(await resolve(`${server.url}/modules.git`, { ref: { tag: "v1.0.0" } }), { revision: first });
    });
  });

  describe("explains", () => {
    const rejects = async (attempt: Promise<unknown>, reason: GitReason, message: RegExp): Promise<void> => {
      const error = await attempt.then(
        () => assert.fail("it was resolved"),
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof GitError, String(error));
      assert.equal(error.reason, reason, error.message);
      assert.match(error.message, message);
    };

    const refs: readonly [string, GitAccess["ref"], RegExp][] = [
      ["a branch that does not exist", { branch: "nope" }, /no branch nope/],
      ["a branch that only ends another one's path", { branch: "shadow" }, /no branch shadow/],
      ["a tag that is a branch", { tag: "main" }, /no tag main/],
      ["a branch that looks like an option", { branch: "--upload-pack=touch /tmp/owned" }, /plain git branch name/],
      ["a branch that is a pattern", { branch: "mai*" }, /plain git branch name/],
      ["a branch with a line break", { branch: "main\nrefs/heads/x" }, /plain git branch name/],
      ["a branch that climbs", { branch: "a/../main" }, /plain git branch name/],
      ["a tag with a command", { tag: "$(id)" }, /plain git tag name/],
      ["an abbreviated commit", { commit: "abc123" }, /in full/],
    ];
    for (const [what, ref, message] of refs) {
      it(what, async () => {
        const server = await serve();
        await rejects(resolve(`${server.url}/modules.git`, { ref }), "GitRefNotFound", message);
      });
    }

    const addresses: readonly [string, string][] = [
      ["a local path", "/etc"],
      ["another transport", "ssh://git@example.com/x.git"],
      ["a command transport", "ext::sh -c id"],
      ["a file address", "file:///etc"],
      ["credentials in the address", "https://user:hunter2@example.com/x.git"],
      ["an option", "--upload-pack=id"],
      ["a line break", "https://example.com/x\n.git"],
    ];
    for (const [what, url] of addresses) {
      it(`${what} instead of an address, without repeating it`, async () => {
        await rejects(resolve(url), "GitFailed", /^the url of the git source must be/);
      });
    }

    it("a repository that does not exist", async () => {
      const server = await serve();
      await rejects(resolve(`${server.url}/ssl-certificates.git`), "GitRepositoryNotFound", /no such repository/);
    });

    it("a host name that does not exist", async () => {
      await rejects(resolve("http://git.does-not-exist.invalid/x.git"), "GitHostUnknown", /cannot be resolved/);
    });

    it("a port where nobody listens", async () => {
      await rejects(resolve("http://127.0.0.1:1/x.git"), "GitHostUnknown", /does not answer/);
    });

    it("a server that accepts and stays silent", async () => {
      const silent = createServer(() => {}).listen(0, "127.0.0.1");
      await once(silent, "listening");
      const { port } = silent.address() as AddressInfo;
      await rejects(
        resolve(`http://127.0.0.1:${port}/x.git`, { timeoutMs: 300 }),
        "GitHostUnknown",
        /did not finish its answer/,
      );
      silent.close();
    });

    it("a page that is no repository", async () => {
      const server = await serve({ intercept: (_, response) => Boolean(response.end("<html>welcome</html>")) });
      await rejects(resolve(`${server.url}/x.git`), "GitRefNotFound", /check git.ref and git.url/);
    });

    it("a server in trouble", async () => {
      const server = await serve({ intercept: (_, response) => Boolean(response.writeHead(503).end()) });
      await rejects(resolve(`${server.url}/x.git`), "GitHostUnknown", /does not answer/);
    });

    it("a redirect to a local file", async () => {
      const server = await serve({
        intercept: (_, response) => Boolean(response.writeHead(302, { location: "file:///etc/passwd" }).end()),
      });
      await rejects(resolve(`${server.url}/x.git`), "GitFailed", /git: /);
    });
  });

  describe("with credentials", () => {
    const login = { username: "robot", password: "p%40ss w:rd'$(id)\"" };

    it("gives user and password to the server", async () => {
      const server = await serve({ login });
      assert.deepEqual(await resolve(`${server.url}/modules.git`, { credentials: login }), { revision: second });
    });

    it("takes a token alone, with the line break an editor leaves", async () => {
      const server = await serve({ login: { username: "x-access-token", password: "t0ken" } });
      const credentials = { token: "t0ken\n" };
      assert.deepEqual(await resolve(`${server.url}/modules.git`, { credentials }), { revision: second });
    });

    it("says that credentials are needed where there are none", async () => {
      const server = await serve({ login });
      await assert.rejects(resolve(`${server.url}/modules.git`), { reason: "GitUnauthorized", message: /secretRef/ });
    });

    it("says that they are refused, and does not print them", async () => {
      const server = await serve({ login: { username: "robot", password: "other" } });
      const attempt = resolve(`${server.url}/modules.git`, { credentials: login });
      await assert.rejects(attempt, (error: unknown) => {
        assert.ok(error instanceof GitError);
        assert.equal(error.reason, "GitUnauthorized");
        assert.doesNotMatch(error.message, /ss w:rd|p%40ss/);
        return true;
      });
    });

    it("does not print a password that the server throws back", async () => {
      const server = await serve({
        intercept: (_, response) =>
          Boolean(response.writeHead(403, { "content-type": "text/plain" }).end(`no access for ${login.password}`)),
      });
      const attempt = resolve(`${server.url}/modules.git`, { credentials: login });
      await assert.rejects(
        attempt,
        (error: unknown) => error instanceof GitError && !error.message.includes("ss w:rd"),
      );
    });

    it("refuses a password with a line break inside, which would be read as another field", async () => {
      const server = await serve({ login });
      const credentials = { username: "robot", password: "a\nusername=root" };
      await assert.rejects(resolve(`${server.url}/modules.git`, { credentials }), {
        reason: "GitUnauthorized",
        message: /line break/,
      });
      assert.equal(server.requests.length, 0);
    });

    it("does not carry them to the host of a redirect", async () => {
      const thief = await serve({ login });
      const server = await serve({
        intercept: (request, response) =>
          Boolean(response.writeHead(302, { location: `${thief.url}${request.url}` }).end()),
      });
      await assert.rejects(resolve(`${server.url}/modules.git`, { credentials: login }), { reason: "GitUnauthorized" });
      assert.deepEqual(
        thief.requests.map(({ authorization }) => authorization).filter((header) => header !== undefined),
        [],
      );
    });
  });

  it("ends git at once when the caller gives up", async () => {
    const caller = new AbortController();
    const arrived = Promise.withResolvers<void>();
    const hangs = await serve({
      intercept: () => {
        arrived.resolve();
        return true;
      },
    });
    const attempt = resolve(`${hangs.url}/modules.git`, { signal: caller.signal });
    await arrived.promise;
    caller.abort(new Error("shutting down"));
    await assert.rejects(attempt, /shutting down/);
  });
});
