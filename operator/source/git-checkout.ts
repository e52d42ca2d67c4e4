import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { FetchRequest, GitAccess } from "./git-access.ts";
import { GitError } from "./git-error.ts";
import type { GitExit } from "./git-process.ts";
import type { Target } from "./git-refs.ts";
import { type GitSession, openSession, sizeOf, tooLarge } from "./git-repository.ts";
import { refuseEscapingLinks } from "./symlinks.ts";

const DEFAULT_MAX_BYTES = 512 * 1024 * 1024;
const MAX_LISTING_BYTES = 64 * 1024 * 1024;

/** What git prints when a server of the old protocol gives only the tips of branches and tags. */
const ONLY_TIPS = /does not allow request for unadvertised object|no such remote ref/i;

/** A temporary repository that is to hold one commit. */
export interface Work {
  readonly request: GitAccess;
  readonly session: GitSession;
  readonly gitDir: string;
  readonly commit: string;
  readonly maxBytes: number;
  /** How much of the commit is wanted, as git's own options; all of it unless told. */
  readonly fetchOptions?: readonly string[];
}

/** Downloads exactly one commit and writes its files. The repository itself is temporary and lies elsewhere. */
export async function checkOut(request: FetchRequest, target: Target, commit: string): Promise<void> {
  const directory = resolve(request.directory);
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0) throw new Error(`${directory} must be empty to check a repository out`);
  const gitDir = await mkdtemp(join(request.scratch ?? tmpdir(), "terrarium-git-"));
  const work = {
    request,
    session: openSession(request),
    gitDir,
    commit,
    maxBytes: request.maxBytes ?? DEFAULT_MAX_BYTES,
  };
  try {
    await obtain(work, target);
    await writeFiles(work, { ...request, directory });
  } catch (error) {
    await empty(directory);
    throw error;
  } finally {
    await rm(gitDir, { recursive: true, force: true });
  }
}

/** One commit without its history where the server gives it; else the ref's history; else every branch and tag. */
export async function obtain(work: Work, target: Target): Promise<void> {
  const { session, gitDir, commit } = work;
  const format = commit.length === 64 ? "sha256" : "sha1";
  await session.run(["init", "--quiet", "--bare", "--template=", `--object-format=${format}`, "--", gitDir]);

  const exact = await fetchInto(work, ["--depth=1"], [commit]);
  if (exact.code !== 0 && /not our ref/i.test(exact.stderr)) throw gone(work);
  if (exact.code !== 0 && !ONLY_TIPS.test(exact.stderr)) throw session.errorFrom(exact);
  if (await holds(work)) return;

  const everything = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
  const attempts = target.type === "ref" ? [[`+${target.name}:${target.name}`], everything] : [everything];
  for (const refspecs of attempts) {
    const exit = await fetchInto(work, [], refspecs);
    if (await holds(work)) return;
    const refIsGone = /couldn't find remote ref/i.test(exit.stderr);
    if (exit.code !== 0 && !refIsGone) throw session.errorFrom(exit);
  }
  throw gone(work);
}

async function fetchInto(work: Work, options: readonly string[], refspecs: readonly string[]): Promise<GitExit> {
  const fixed = ["--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"];
  const wanted = [...options, ...(work.fetchOptions ?? [])];
  const args = ["--git-dir", work.gitDir, "fetch", ...fixed, ...wanted, "--", work.request.url, ...refspecs];
  const exit = await work.session.download(args, work.gitDir, work.maxBytes);
  // A quick download can end between two looks at its size.
  if ((await sizeOf(join(work.gitDir, "objects", "pack"))) > work.maxBytes) {
    throw tooLarge(work.request, "download", work.maxBytes);
  }
  return exit;
}

async function holds({ session, gitDir, commit }: Work): Promise<boolean> {
  return (await session.attempt(["--git-dir", gitDir, "cat-file", "-e", `${commit}^{commit}`])).code === 0;
}

function gone({ request, commit }: Work): GitError {
  return new GitError(
    "GitRefNotFound",
    `${request.url}: the commit ${commit} is not in the repository (any more); it may have been pushed away by force, then the next look at the branch finds its new commit`,
  );
}

/** Sizes are known before anything is written; links are looked at before anybody else sees the folder. */
async function writeFiles(work: Work, request: FetchRequest): Promise<void> {
  const { session, gitDir, commit, maxBytes } = work;
  const listing = await session.run(
    ["--git-dir", gitDir, "ls-tree", "-r", "-l", "-z", "--full-tree", commit],
    MAX_LISTING_BYTES,
  );
  const tree = readListing(listing);
  if (tree.bytes > maxBytes) throw tooLarge(request, "checkout", maxBytes);
  const place = ["--git-dir", gitDir, "--work-tree", request.directory, "-c", "core.bare=false"];
  await session.run([...place, "-C", request.directory, "checkout", "--quiet", "--force", "--detach", commit]);
  await refuseEscapingLinks(request.directory, tree.links);
}

/** Entries of `git ls-tree -r -l -z`: mode, type, id and size, a tab, the path. Submodules have no size. */
function readListing(listing: Buffer): { readonly bytes: number; readonly links: readonly Buffer[] } {
  let bytes = 0;
  const links: Buffer[] = [];
  for (const entry of listing.toString("latin1").split("\0")) {
    const tab = entry.indexOf("\t");
    if (tab === -1) continue;
    const [mode, , , size] = entry.slice(0, tab).split(/ +/);
    bytes += Number(size === "-" ? 0 : size);
    if (mode === "120000") links.push(Buffer.from(entry.slice(tab + 1), "latin1"));
  }
  return { bytes, links };
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
}
