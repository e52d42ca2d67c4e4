import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { addressRules } from "../../../operator/resolver/address-rules.ts";
import { createAnswerer } from "../../../operator/resolver/answer.ts";
import { createResolverClient } from "../../../operator/resolver/client.ts";
import { createResolverServer } from "../../../operator/resolver/server.ts";
import { createTurns } from "../../../operator/resolver/turns.ts";
import { contentsOf, resolveRef } from "../../../operator/source/git.ts";
import { createLogger } from "../../../operator/telemetry/logger.ts";
import {
  aRepository,
  type GitServer,
  type GitServerOptions,
  type Repository,
  startGitServer,
} from "../source/git-server.ts";
import { aCertificateFor } from "../source/tls.ts";

interface ResolverOptions {
  readonly allow?: readonly string[];
  readonly token?: string;
  readonly deadlineMs?: number;
}

describe("resolver", () => {
  const never = new AbortController().signal;
  const login = { username: "robot", password: "hunter2-very-secret" };
  let repository: Repository;
  let commit: string;
  let scratch: string;
  let log: string[];
  let bugs: unknown[];
  const gitServers: GitServer[] = [];
  const resolvers: FastifyInstance[] = [];

  const serve = async (options: GitServerOptions = {}): Promise<GitServer> => {
    const server = await startGitServer(repository.root, options);
    gitServers.push(server);
    return server;
  };
  const startResolver = async (options: ResolverOptions = {}): Promise<string> => {
    const server = createResolverServer({
      answer: createAnswerer({
        rules: addressRules(options.allow ?? ["127.0.0.1/32", "::1/128"], []),
        turns: createTurns({ total: 4, perHost: 4, waiting: 10 }),
        resolveRef,
        contentsOf,
        scratch,
        deadlineMs: options.deadlineMs ?? 10_000,
        onBug: (error) => bugs.push(error),
      }),
      logger: createLogger({ level: "trace" }, { write: (line) => void log.push(line) }),
      token: async () => options.token,
    });
    resolvers.push(server);
    return await server.listen({ host: "127.0.0.1", port: 0 });
  };
  const ask = async (options: ResolverOptions = {}) => createResolverClient({ url: await startResolver(options) });

  before(async () => {
    repository = await aRepository();
    commit = await repository.commit("main", { "main.tf": "#" });
  });
  beforeEach(async () => {
    log = [];
    bugs = [];
    scratch = await mkdtemp(join(tmpdir(), "terrarium-resolver-test-"));
  });
  afterEach(async () => {
    await Promise.all(resolvers.splice(0).map((server) => server.close()));
    await Promise.all(gitServers.splice(0).map((server) => server.close()));
    assert.deepEqual(await readdir(scratch), [], "nothing is left in the scratch folder");
    assert.deepEqual(bugs, []);
    assert.doesNotMatch(log.join(""), /hunter2/, "no credential is logged");
    await rm(scratch, { recursive: true });
  });
  after(() => repository.remove());

  it("answers with the commit of a private branch over http", async () => {
    const url = `${(await serve({ login })).url}/modules.git`;
    const client = await ask();
    assert.deepEqual(await client.resolve({ url, credentials: login }, never), { revision: commit });
    assert.match(log.join(""), /"outcome":"Resolved"/);
  });

  it("answers over https, with the authority that comes along", async () => {
    const certificate = await aCertificateFor("localhost");
    const url = `${(await serve({ certificate, login })).url}/modules.git`;
    const client = await ask();
    const question = { url, credentials: login, caPem: certificate.certPem };
    assert.deepEqual(await client.resolve(question, never), { revision: commit });
  });

  it("tells what the asked paths hold, unless that commit is known already", async () => {
    const url = `${(await serve({ login })).url}/modules.git`;
    const client = await ask();
    const question = { url, credentials: login, paths: ["main.tf", "nothing"] };
    const answer = await client.resolve(question, never);
    assert.equal(answer.revision, commit);
    assert.deepEqual(Object.keys(answer.contents ?? {}), ["main.tf"]);
    assert.deepEqual(await client.resolve({ ...question, known: commit }, never), { revision: commit });
  });

  it("passes the reason of a failure on", async () => {
    const server = await serve({ login });
    const client = await ask();
    const cases = [
      [{ url: `${server.url}/modules.git` }, "GitUnauthorized"],
      [{ url: `${server.url}/modules.git`, credentials: { ...login, password: "hunter2-wrong" } }, "GitUnauthorized"],
      [{ url: `${server.url}/nothing.git`, credentials: login }, "GitRepositoryNotFound"],
      [{ url: `${server.url}/modules.git`, credentials: login, ref: { tag: "v9" } }, "GitRefNotFound"],
      [{ url: "http://git.does-not-exist.invalid/x.git" }, "GitHostUnknown"],
      [{ url: "http://127.0.0.1:1/x.git" }, "GitHostUnknown"],
      [{ url: "file:///etc" }, "GitFailed"],
    ] as const;
    for (const [question, reason] of cases) {
      await assert.rejects(client.resolve(question, never), { name: "GitError", reason }, JSON.stringify(question));
    }
  });

  it("makes no connection to an address that it may not reach", async () => {
    const server = await serve();
    const client = await ask({ allow: [] });
    for (const url of [server.url, server.url.replace("127.0.0.1", "localhost")]) {
      await assert.rejects(client.resolve({ url: `${url}/modules.git` }, never), {
        reason: "GitFailed",
        message: /may not connect .* TERRARIUM_RESOLVER_ALLOW_CIDRS/,
      });
    }
    assert.deepEqual(server.requests, []);
  });

  it("does not follow a redirect to an address that it may not reach", async () => {
    const server = await serve({
      intercept: (request, response) =>
        Boolean(
          response.writeHead(302, { location: `http://127.0.0.2:${request.socket.localPort}${request.url}` }).end(),
        ),
    });
    const client = await ask();
    await assert.rejects(client.resolve({ url: `${server.url}/modules.git` }, never), {
      reason: "GitFailed",
      message: /^127\.0\.0\.2: .*may not connect/,
    });
    assert.equal(server.requests.length, 1);
  });

  it("gives up after its deadline", async () => {
    const server = await serve({ intercept: () => true });
    const client = await ask({ deadlineMs: 300 });
    await assert.rejects(client.resolve({ url: `${server.url}/modules.git` }, never), { reason: "GitHostUnknown" });
  });

  it("asks once for the same question at the same time, and apart for other credentials", async () => {
    const server = await serve({ login });
    const url = `${server.url}/modules.git`;
    const client = await ask();
    const same = await Promise.all([1, 2, 3].map(() => client.resolve({ url, credentials: login }, never)));
    assert.deepEqual(same, [{ revision: commit }, { revision: commit }, { revision: commit }]);
    const alone = server.requests.length;
    await client.resolve({ url, credentials: login }, never);
    assert.equal(server.requests.length, 2 * alone);
    const mixed = await Promise.allSettled([
      client.resolve({ url, credentials: login }, never),
      client.resolve({ url }, never),
    ]);
    assert.deepEqual(
      mixed.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
  });

  it("leaves no way out open where there is no room for the question", async () => {
    const listening = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length;
    const troubles: unknown[] = [];
    const answer = createAnswerer({
      rules: addressRules([], []),
      turns: createTurns({ total: 1, perHost: 1, waiting: 0 }),
      resolveRef,
      contentsOf,
      scratch: join(scratch, "full"),
      onBug: (error) => troubles.push(error),
    });
    const before = listening();
    await answer({ url: "http://git.example.com/x.git" });
    assert.deepEqual([troubles.length, listening()], [1, before]);
  });

  it("asks for its token where it has one", async () => {
    const address = await startResolver({ token: "shared" });
    const url = `${(await serve()).url}/modules.git`;
    for (const token of [undefined, "other"]) {
      const stranger = createResolverClient({ url: address, token: async () => token });
      await assert.rejects(stranger.resolve({ url }, never), { reason: "GitFailed", message: /must share one Secret/ });
    }
    const friend = createResolverClient({ url: address, token: async () => "shared" });
    assert.deepEqual(await friend.resolve({ url }, never), { revision: commit });
  });

  it("refuses what is no question, without repeating it", async () => {
    const address = await startResolver();
    for (const body of ['{"password": "hunter2"', '{"url": 1}', '{"url": "http://x/y", "hunter2": true}', "[]"]) {
      const response = await fetch(`${address}/v1/resolve`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      assert.equal(response.status, 400);
      assert.doesNotMatch(await response.text(), /hunter2/);
    }
  });

  it("is named when it is away", async () => {
    const client = createResolverClient({ url: "http://127.0.0.1:1" });
    await assert.rejects(client.resolve({ url: "http://x/y.git" }, never), {
      reason: "GitFailed",
      message: /the resolver does not answer \(ECONNREFUSED\)/,
    });
  });

  it("hands the caller's own reason back when the caller gives up", async () => {
    const silent = await serve({ intercept: () => true });
    const client = createResolverClient({ url: silent.url });
    const attempt = client.resolve({ url: "http://x/y.git" }, AbortSignal.timeout(50));
    await assert.rejects(attempt, { name: "TimeoutError" });
  });
});
