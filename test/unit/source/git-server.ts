import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ServerCertificate } from "./tls.ts";

const execute = promisify(execFile);

export interface GitServerOptions {
  readonly login?: { readonly username: string; readonly password: string };
  /** Answers in git's stead; true when it did. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** False: git's first protocol, where a server gives only the tips of branches and tags. */
  readonly modern?: boolean;
  /** Serve https, for the name localhost. */
  readonly certificate?: ServerCertificate;
}

export interface GitServer {
  readonly url: string;
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
  close(): Promise<void>;
}

/** A real `git http-backend` behind node:http, serving every repository of the folder. */
export async function startGitServer(root: string, options: GitServerOptions = {}): Promise<GitServer> {
  const requests: GitServer["requests"] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push({ path: request.url ?? "", authorization: request.headers.authorization });
    if (options.intercept?.(request, response) === true) return;
    if (options.login !== undefined && !isLoggedIn(request, options.login)) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    runBackend(root, request, response, options.modern ?? true);
  };
  const { certificate } = options;
  const server =
    certificate === undefined
      ? createServer(answer)
      : createSecureServer({ cert: certificate.certPem, key: certificate.keyPem }, answer);
  const address = await listenOnLoopback(server);
  const url = certificate === undefined ? address : address.replace("http://127.0.0.1", "https://localhost");
  return { url, requests, close: () => closeServer(server) };
}

export async function listenOnLoopback(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function isLoggedIn(request: IncomingMessage, login: { username: string; password: string }): boolean {
  const expected = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  return request.headers.authorization === `Basic ${expected}`;
}

/** CGI: the request in variables and on stdin, headers and body on stdout. */
function runBackend(root: string, request: IncomingMessage, response: ServerResponse, modern: boolean): void {
  const url = new URL(request.url ?? "/", "http://localhost");
  const protocol = modern ? request.headers["git-protocol"] : undefined;
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: "/usr/bin:/bin",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      REQUEST_METHOD: request.method ?? "GET",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      ...(typeof protocol === "string" ? { GIT_PROTOCOL: protocol } : {}),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  answerFrom(child.stdout, response);
}

function answerFrom(stdout: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  let started = false;
  stdout.on("data", (chunk: Buffer) => {
    if (started) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) return;
    started = true;
    let status = 200;
    for (const line of head.subarray(0, end).toString().split("\r\n")) {
      const [name = "", value = ""] = line.split(/: ?(.*)/s);
      if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
  });
  stdout.on("end", () => response.end());
}

export interface Repository {
  /** Folder that holds the bare repository `<name>.git`. */
  readonly root: string;
  git(...args: readonly string[]): Promise<string>;
  /** Writes a commit on a branch from files alone and answers its id. */
  commit(branch: string, files: Readonly<Record<string, string>>, options?: CommitOptions): Promise<string>;
  remove(): Promise<void>;
}

export interface CommitOptions {
  /** Paths that are symbolic links: their content is the target. */
  readonly links?: readonly string[];
  /** Paths that may be run. */
  readonly programs?: readonly string[];
  /** True: without the branch's history, as after a force push. */
  readonly orphan?: boolean;
}

/** A bare repository that is filled through plumbing: hostile trees need no working copy. */
export async function aRepository(name = "modules"): Promise<Repository> {
  const root = await mkdtemp(join(tmpdir(), "terrarium-git-test-"));
  const directory = join(root, `${name}.git`);
  const identity = { GIT_AUTHOR_NAME: "t", GIT_AUTHOR_EMAIL: "t@example.com" };
  const env = {
    PATH: "/usr/bin:/bin",
    HOME: root,
    GIT_CONFIG_GLOBAL: "/dev/null",
    ...identity,
    GIT_COMMITTER_NAME: "t",
    GIT_COMMITTER_EMAIL: "t@example.com",
  };
  const git = async (...args: readonly string[]): Promise<string> =>
    (await execute("git", ["--git-dir", directory, ...args], { env })).stdout.trim();
  const feed = async (input: string, ...args: readonly string[]): Promise<string> => {
    const running = execute("git", ["--git-dir", directory, ...args], { env });
    running.child.stdin?.end(input);
    return (await running).stdout.trim();
  };
  await execute("git", ["init", "--quiet", "--bare", "--initial-branch=main", directory], { env });

  return {
    root,
    git,
    async commit(branch, files, options = {}) {
      await git("read-tree", "--empty");
      for (const [path, content] of Object.entries(files)) {
        const id = await feed(content, "hash-object", "-w", "--stdin");
        await git("update-index", "--add", "--cacheinfo", `${modeOf(path, options)},${id},${path}`);
      }
      const tree = await git("write-tree");
      const parent = await git("rev-parse", "--verify", "--quiet", `refs/heads/${branch}`).catch(() => "");
      const parents = parent === "" || options.orphan === true ? [] : ["-p", parent];
      const commit = await feed(`${JSON.stringify(Object.keys(files))}\n`, "commit-tree", tree, ...parents);
      await git("update-ref", `refs/heads/${branch}`, commit);
      return commit;
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

function modeOf(path: string, { links = [], programs = [] }: CommitOptions): string {
  if (links.includes(path)) return "120000";
  return programs.includes(path) ? "100755" : "100644";
}
