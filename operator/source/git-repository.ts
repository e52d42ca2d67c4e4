import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { GitAccess } from "./git-access.ts";
import { GitError, gitErrorFrom } from "./git-error.ts";
import { type GitExit, GitOutputTooLarge, runGit } from "./git-process.ts";
import { gitEnvironment, secretsOf } from "./git-settings.ts";

const SIZE_CHECK_MS = 250;
/** What the agent's container has to give. It is enough for a repository of 500 MiB whose largest file has 470. */
const DEFAULT_MAX_MEMORY = 896 * 1024 * 1024;

/** Runs git for one repository on a server, with the call's deadline, and turns failures into GitError. */
export interface GitSession {
  /** Throws GitError when git fails. */
  run(args: readonly string[], maxOutputBytes?: number): Promise<Buffer>;
  /** Answers whatever the exit code. */
  attempt(args: readonly string[], maxOutputBytes?: number): Promise<GitExit>;
  /** As `attempt`, ended as soon as the packs of the repository outgrow the limit. */
  download(args: readonly string[], gitDir: string, maxBytes: number): Promise<GitExit>;
  errorFrom(exit: GitExit): GitError;
}

export function openSession(access: GitAccess): GitSession {
  const env = gitEnvironment(access);
  const maxMemoryBytes = access.maxMemoryBytes ?? DEFAULT_MAX_MEMORY;
  const deadline = AbortSignal.timeout(access.timeoutMs);

  const attempt = async (args: readonly string[], signals: readonly AbortSignal[], max?: number): Promise<GitExit> => {
    const signal = AbortSignal.any([access.signal, deadline, ...signals]);
    try {
      return await runGit({ args, env, signal, maxMemoryBytes, ...(max === undefined ? {} : { maxOutputBytes: max }) });
    } catch (error) {
      access.signal.throwIfAborted();
      if (deadline.aborted) throw tookTooLong(access);
      if (error instanceof GitOutputTooLarge) throw new GitError("GitFailed", `${access.url}: ${error.message}`);
      throw error;
    }
  };
  const errorFrom = (exit: GitExit): GitError => gitErrorFrom(exit.stderr, access.url, secretsOf(access.credentials));

  return {
    attempt: (args, max) => attempt(args, [], max),
    errorFrom,
    async run(args, max) {
      const exit = await attempt(args, [], max);
      if (exit.code !== 0) throw errorFrom(exit);
      return exit.stdout;
    },
    async download(args, gitDir, maxBytes) {
      const guard = new AbortController();
      const stop = watchSize(join(gitDir, "objects", "pack"), maxBytes, () =>
        guard.abort(tooLarge(access, "download", maxBytes)),
      );
      try {
        return await attempt(args, [guard.signal]);
      } finally {
        stop();
      }
    },
  };
}

export function tooLarge(access: GitAccess, what: string, maxBytes: number): GitError {
  const size = `${Math.floor(maxBytes / 1024 / 1024)} MiB`;
  return new GitError(
    "GitFailed",
    `${access.url}: the ${what} is larger than ${size}; keep large files out of the repository of the modules`,
  );
}

function tookTooLong(access: GitAccess): GitError {
  return new GitError(
    "GitHostUnknown",
    `${access.url}: the server did not finish its answer within ${Math.round(access.timeoutMs / 1000)} s; it is tried again by itself`,
  );
}

/** git has no limit for a download, so its folder is looked at while it grows. */
function watchSize(folder: string, maxBytes: number, onTooLarge: () => void): () => void {
  let busy = false;
  const timer = setInterval(async () => {
    if (busy) return;
    busy = true;
    if ((await sizeOf(folder)) > maxBytes) onTooLarge();
    busy = false;
  }, SIZE_CHECK_MS);
  return () => clearInterval(timer);
}

export async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      lstat(join(folder, name)).then(
        (file) => file.size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
