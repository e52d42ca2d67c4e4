import type { GitRef } from "../api/source.ts";
import type { Clock } from "../loop/clock.ts";
import { type GitCredentials, GitError, type GitReason, type Revision } from "../source/git.ts";
import type { ResolveRequest } from "./protocol.ts";

/** A git ref that an Environment wants followed. */
export interface SourceRef {
  readonly url: string;
  readonly ref?: GitRef | undefined;
  readonly intervalMs: number;
  readonly credentials?: GitCredentials | undefined;
  readonly caPem?: string | undefined;
}

export type FollowedRevision =
  | { readonly state: "known"; readonly revision: string; readonly at: Date }
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
const nameOf = (ref: GitRef | undefined): readonly string[] =>
  ref?.tag === undefined ? ["branch", ref?.branch ?? "main"] : ["tag", ref.tag];

/** Which repository and ref, whoever asks. */
export function placeKey({ url, ref }: SourceRef): string {
  return JSON.stringify([url, ...nameOf(ref)]);
}

/** The same, with what opens the door: each gets only answers to its own credentials. */
export function pollKey(source: SourceRef): string {
  const { username, password, token } = source.credentials ?? {};
  return JSON.stringify([placeKey(source), username, password, token, source.caPem].map((part) => part ?? null));
}

export function questionOf({ url, ref, credentials, caPem }: SourceRef): ResolveRequest {
  return {
    url,
    ...(ref === undefined ? {} : { ref }),
    ...(credentials === undefined ? {} : { credentials: { ...credentials } }),
    ...(caPem === undefined ? {} : { caPem }),
  };
}

/** What a finished question makes known. Never rejects. */
export async function outcomeOf(
  question: Promise<Revision>,
  before: FollowedRevision,
  clock: Clock,
): Promise<FollowedRevision> {
  try {
    return { state: "known", revision: (await question).revision, at: clock.now() };
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

/** Whether somebody has to look at it again; the time of a look is no news. */
export function isNews(before: FollowedRevision, after: FollowedRevision): boolean {
  if (before.state === "known" && after.state === "known") return before.revision !== after.revision;
  if (before.state === "failed" && after.state === "failed") {
    return before.reason !== after.reason || before.message !== after.message;
  }
  return true;
}
