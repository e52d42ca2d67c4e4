import type { GitRef } from "../api/source.ts";
import type { Clock } from "../loop/clock.ts";
import { type GitCredentials, GitError, type GitReason, type PathContents } from "../source/git.ts";
import type { Resolved, ResolveRequest } from "./protocol.ts";

/** A git ref that an Environment wants followed. */
export interface SourceRef {
  readonly url: string;
  readonly ref?: GitRef | undefined;
  readonly intervalMs: number;
  readonly credentials?: GitCredentials | undefined;
  readonly caPem?: string | undefined;
  /** Whose contents are asked for beside the commit. */
  readonly paths?: readonly string[] | undefined;
}

export type FollowedRevision =
  | {
      readonly state: "known";
      readonly revision: string;
      readonly contents?: PathContents | undefined;
      readonly at: Date;
    }
  /** Asked, and not answered yet. */
  | { readonly state: "pending" }
  | {
      readonly state: "failed";
      readonly reason: GitReason;
      readonly message: string;
      /** What it was before the failure. */
      readonly lastRevision?: string;
    };

/** The branch main, where nothing is named. */
function nameOf({ branch = "main", tag, commit }: GitRef = {}): readonly string[] {
  if (commit !== undefined) return ["commit", commit];
  return tag === undefined ? ["branch", branch] : ["tag", tag];
}

/** Which repository and ref, whoever asks. */
export function placeKey({ url, ref }: Pick<SourceRef, "url" | "ref">): string {
  return JSON.stringify([url, ...nameOf(ref)]);
}

/** The same, with what opens the door: each gets only answers to its own credentials. */
export function pollKey(source: SourceRef): string {
  const { username, password, token } = source.credentials ?? {};
  const { caPem, paths } = source;
  return JSON.stringify([placeKey(source), username, password, token, caPem, paths].map((part) => part ?? null));
}

/** What the paths hold is not asked for again as long as the commit is the one that is known. */
export function questionOf({ url, ref, credentials, caPem, paths }: SourceRef, seen: FollowedRevision): ResolveRequest {
  const known = seen.state === "known" && seen.contents !== undefined ? seen.revision : undefined;
  return {
    url,
    ...(ref === undefined ? {} : { ref }),
    ...(credentials === undefined ? {} : { credentials: { ...credentials } }),
    ...(caPem === undefined ? {} : { caPem }),
    ...(paths === undefined ? {} : { paths: [...paths] }),
    ...(paths === undefined || known === undefined ? {} : { known }),
  };
}

/** What a finished question makes known. Never rejects. */
export async function outcomeOf(
  question: Promise<Resolved>,
  before: FollowedRevision,
  clock: Clock,
): Promise<FollowedRevision> {
  try {
    const { revision, contents = contentsAt(before, revision) } = await question;
    return { state: "known", revision, ...(contents === undefined ? {} : { contents }), at: clock.now() };
  } catch (error) {
    const last =
      before.state === "known" ? before.revision : before.state === "failed" ? before.lastRevision : undefined;
    return {
      state: "failed",
      reason: error instanceof GitError ? error.reason : "GitFailed",
      message: error instanceof Error ? error.message : "the ref could not be looked up",
      ...(last === undefined ? {} : { lastRevision: last }),
    };
  }
}

function contentsAt(before: FollowedRevision, revision: string): PathContents | undefined {
  return before.state === "known" && before.revision === revision ? before.contents : undefined;
}

/** Whether somebody has to look at it again; the time of a look is no news. */
export function isNews(before: FollowedRevision, after: FollowedRevision): boolean {
  if (before.state === "known" && after.state === "known") return before.revision !== after.revision;
  if (before.state === "failed" && after.state === "failed") {
    return before.reason !== after.reason || before.message !== after.message;
  }
  return true;
}
