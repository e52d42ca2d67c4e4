import type { GitRef } from "../api/source.ts";
import { GitError } from "./git-error.ts";

const ADDRESS = /^https?:\/\/[A-Za-z0-9.-]+(:[0-9]+)?\/[A-Za-z0-9._~/%+-]*$/;
const COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
const REF_NAME = /^[A-Za-z0-9_][A-Za-z0-9_./+@-]*$/;

/** What is looked for on the server, or the commit itself. */
export type Target =
  | { readonly type: "commit"; readonly commit: string }
  | { readonly type: "ref"; readonly name: string; readonly what: string };

/** Admission refuses the same; whoever comes here another way gets no further either. */
export function checkAddress(url: string): void {
  if (ADDRESS.test(url)) return;
  throw new GitError(
    "GitFailed",
    "the url of the git source must be an https:// or http:// address without user, query or spaces in it",
  );
}

export function checkCommit(commit: string): void {
  if (COMMIT.test(commit)) return;
  throw new GitError("GitRefNotFound", "the commit must be given in full: 40 or 64 lower-case hexadecimal digits");
}

/** Throws GitError for names that git would not accept, or that could be read as something else. */
export function targetOf(ref: GitRef | undefined): Target {
  if (ref?.commit !== undefined) {
    checkCommit(ref.commit);
    return { type: "commit", commit: ref.commit };
  }
  if (ref?.tag !== undefined) {
    return { type: "ref", name: `refs/tags/${checkedName(ref.tag, "tag")}`, what: `tag ${ref.tag}` };
  }
  const branch = ref?.branch ?? "main";
  return { type: "ref", name: `refs/heads/${checkedName(branch, "branch")}`, what: `branch ${branch}` };
}

/** The rules of git-check-ref-format, and none of the characters that ls-remote takes for a pattern. */
function checkedName(name: string, kind: string): string {
  const valid = name.length <= 255 && REF_NAME.test(name) && !/\.\.|@\{|\/\/|\/\.|[/.]$|\.lock(\/|$)/.test(name);
  if (valid) return name;
  throw new GitError("GitRefNotFound", `git.ref.${kind} is not a plain git ${kind} name, so there is no such ${kind}`);
}

/** Finds the commit in the answer of `git ls-remote`: annotated tags have a second line, ending in `^{}`, with what they name. */
export function commitFrom(listing: string, name: string): string | undefined {
  const found = new Map<string, string>();
  for (const line of listing.split("\n")) {
    const [id, ref] = line.split("\t");
    if (id !== undefined && ref !== undefined && COMMIT.test(id)) found.set(ref, id);
  }
  return found.get(`${name}^{}`) ?? found.get(name);
}
