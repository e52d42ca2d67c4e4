/** The other end: makes repositories on the server and puts commits into them, with the git of this machine. */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { command } from "../cluster/command.ts";
import type { Credentials } from "./repositories.ts";

export interface Remote {
  /** Address of the repository as this machine reaches it, as in `http://10.97.0.12/shop.git`. */
  readonly url: string;
  /** The repository's own, or the admin's. */
  readonly credentials?: Credentials;
}

export interface Commit {
  /** What the tree becomes, all of it: a folder of this machine, or path → text. */
  readonly content: { readonly folder: string } | { readonly files: Readonly<Record<string, string>> };
  readonly branch?: string;
  readonly message?: string;
}

/** Makes the repository if it is not there; with `reader` it becomes private to whoever has these credentials. */
export async function createRepository(url: string, admin?: Credentials, reader?: Credentials): Promise<void> {
  await manage(url, "PUT", admin, reader);
}

export async function removeRepository(url: string, admin?: Credentials): Promise<void> {
  await manage(url, "DELETE", admin);
}

/** Puts a commit on the branch (default: main) and resolves with its id; the same content makes no new commit. */
export function pushCommit(remote: Remote, { content, branch = "main", message = "Change" }: Commit): Promise<string> {
  return withClone(remote, async (folder, git) => {
    const exists = (await git("ls-remote", "--heads", remote.url, `refs/heads/${branch}`)) !== "";
    if (exists) {
      await git("fetch", "--quiet", "--depth=1", remote.url, `refs/heads/${branch}`);
      await git("update-ref", "HEAD", "FETCH_HEAD");
    }
    if ("folder" in content) await cp(content.folder, folder, { recursive: true });
    else await writeAll(folder, content.files);
    await git("add", "--all", "--force");
    const changed = !exists || (await git("status", "--porcelain")) !== "";
    if (changed) await git("commit", "--quiet", "--allow-empty", "--message", message);
    const commit = await git("rev-parse", "HEAD");
    if (changed) await git("push", "--quiet", remote.url, `${commit}:refs/heads/${branch}`);
    return commit;
  });
}

/** Points a branch or tag (`refs/heads/…`, `refs/tags/…`) at a commit that the server has, forwards or back. */
export function moveRef(remote: Remote, ref: string, commit: string): Promise<void> {
  return withClone(remote, async (_folder, git) => {
    await git("fetch", "--quiet", "--depth=1", remote.url, commit);
    await git("push", "--quiet", "--force", remote.url, `${commit}:${ref}`);
  });
}

type Git = (...args: string[]) => Promise<string>;

async function withClone<T>(remote: Remote, work: (folder: string, git: Git) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "terrarium-git-"));
  const env = gitEnvironment(remote.credentials);
  const git: Git = async (...args) => (await command("git", args, { cwd: folder, env, timeoutSeconds: 60 })).trim();
  try {
    await git("-c", "init.defaultBranch=main", "init", "--quiet");
    return await work(folder, git);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Neither the settings nor the name of whoever sits at this machine get into the commits. */
function gitEnvironment(credentials: Credentials | undefined): Record<string, string> {
  const login = credentials === undefined ? "" : basic(credentials);
  return {
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: "Terrarium",
    GIT_AUTHOR_EMAIL: "terrarium@example.com",
    GIT_COMMITTER_NAME: "Terrarium",
    GIT_COMMITTER_EMAIL: "terrarium@example.com",
    ...(login === ""
      ? {}
      : { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "http.extraHeader", GIT_CONFIG_VALUE_0: `Authorization: ${login}` }),
  };
}

async function writeAll(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function manage(url: string, method: "PUT" | "DELETE", admin?: Credentials, body?: Credentials): Promise<void> {
  const response = await fetch(url, {
    method,
    headers: admin === undefined ? {} : { Authorization: basic(admin) },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${(await response.text()).trim()}`);
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
