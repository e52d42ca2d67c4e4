import type { GitRef } from "../api/source.ts";
import { checkOut } from "./git-checkout.ts";
import { GitError } from "./git-error.ts";
import { checkAddress, checkCommit, commitFrom, targetOf } from "./git-refs.ts";
import { openSession } from "./git-repository.ts";

export { GIT_REASONS, GitError, type GitReason } from "./git-error.ts";

/** What a Secret of a git source holds; a token alone is enough. */
export interface GitCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
}

export interface GitAccess {
  /** https:// or http://, without user information. */
  readonly url: string;
  /** Absent: the branch `main`. */
  readonly ref?: GitRef | undefined;
  readonly credentials?: GitCredentials | undefined;
  /** File with PEM certificates which are trusted for this server. */
  readonly caFile?: string | undefined;
  /** `http://host:port` through which every connection goes. */
  readonly proxy?: string | undefined;
  readonly signal: AbortSignal;
  /** For the whole call. */
  readonly timeoutMs: number;
}

export interface FetchRequest extends GitAccess {
  /** Commit to check out. Absent: what `ref` names now. */
  readonly revision?: string | undefined;
  /** Where the files go: it is made, and must be empty. No `.git` is left in it. */
  readonly directory: string;
  /** Folder for the temporary repository; the system's own unless told. */
  readonly scratch?: string | undefined;
  /** Largest download and largest checkout, in bytes each; 512 MiB unless told. */
  readonly maxBytes?: number | undefined;
}

export interface Revision {
  /** Commit id: 40 or 64 hexadecimal digits. */
  readonly revision: string;
}

/** Looks up the commit that a branch or tag names. Throws GitError, or the signal's reason when the caller gave up. */
export async function resolveRef(access: GitAccess): Promise<Revision> {
  checkAddress(access.url);
  const target = targetOf(access.ref);
  if (target.type === "commit") return { revision: target.commit };
  // `^{}` asks for what an annotated tag names.
  const patterns = target.name.startsWith("refs/tags/") ? [target.name, `${target.name}^{}`] : [target.name];
  const listing = await openSession(access).run(["ls-remote", "--quiet", "--", access.url, ...patterns]);
  const revision = commitFrom(listing.toString("utf8"), target.name);
  if (revision === undefined) {
    throw new GitError(
      "GitRefNotFound",
      `${access.url}: the repository has no ${target.what}; check git.ref and git.url`,
    );
  }
  return { revision };
}

/**
 * Checks one commit out into a folder, without submodules and without LFS files.
 * Throws GitError, or the signal's reason when the caller gave up; the folder is empty then.
 */
export async function fetchGit(request: FetchRequest): Promise<Revision> {
  checkAddress(request.url);
  const target = targetOf(request.ref);
  if (request.revision !== undefined) checkCommit(request.revision);
  const started = performance.now();
  const revision = request.revision ?? (await resolveRef(request)).revision;
  const timeoutMs = Math.max(1, request.timeoutMs - (performance.now() - started));
  await checkOut({ ...request, timeoutMs: Math.round(timeoutMs) }, target, revision);
  return { revision };
}
