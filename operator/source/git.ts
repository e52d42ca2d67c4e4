import type { FetchRequest, GitAccess } from "./git-access.ts";
import { checkOut } from "./git-checkout.ts";
import { GitError } from "./git-error.ts";
import { checkAddress, checkCommit, commitFrom, targetOf } from "./git-refs.ts";
import { openSession } from "./git-repository.ts";

export type { FetchRequest, GitAccess, GitCredentials } from "./git-access.ts";
export { type ContentsRequest, contentsOf, type PathContents } from "./git-contents.ts";
export { GIT_REASONS, GitError, type GitReason } from "./git-error.ts";

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
