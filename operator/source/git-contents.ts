import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GitAccess } from "./git-access.ts";
import { obtain } from "./git-checkout.ts";
import { checkAddress, checkCommit, targetOf } from "./git-refs.ts";
import { openSession } from "./git-repository.ts";

/** Ids of git (of a tree, a file, a link), by path. A path that does not exist is missing. */
export type PathContents = Readonly<Record<string, string>>;

export interface ContentsRequest extends GitAccess {
  readonly revision: string;
  /** From the root of the repository; `.` is the root itself. */
  readonly paths: readonly string[];
  /** Folder for the temporary repository; the system's own unless told. */
  readonly scratch?: string | undefined;
}

/** Names and ids of everything in a commit, without the files: for a repository of 10,000 files that is about a megabyte. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_LISTING_BYTES = 4 * 1024 * 1024;

/**
 * What stands at these paths in one commit, told by ids: the same id is the same content, down to the last file. Downloads no file where the
 * server can leave them out. Throws GitError, or the signal's reason when the caller gave up.
 */
export async function contentsOf(request: ContentsRequest): Promise<PathContents> {
  checkAddress(request.url);
  checkCommit(request.revision);
  const { revision: commit, paths } = request;
  const gitDir = await mkdtemp(join(request.scratch ?? tmpdir(), "terrarium-git-"));
  const session = openSession(request);
  try {
    const fetchOptions = ["--filter=blob:none"];
    await obtain({ request, session, gitDir, commit, maxBytes: MAX_BYTES, fetchOptions }, targetOf(request.ref));
    const place = ["--git-dir", gitDir];
    const root = await session.run([...place, "rev-parse", "--verify", `${commit}^{tree}`]);
    const ids = new Map([[".", root.toString().trim()]]);
    const named = [...new Set(paths.map(plain))].filter((path) => path !== ".").map((path) => `:(literal)${path}`);
    if (named.length > 0) {
      const listing = await session.run(
        [...place, "ls-tree", "-z", "--full-tree", commit, "--", ...named],
        MAX_LISTING_BYTES,
      );
      for (const [path, id] of readListing(listing.toString())) ids.set(path, id);
    }
    return Object.fromEntries(
      paths.flatMap((path) => {
        const id = ids.get(plain(path));
        return id === undefined ? [] : [[path, id]];
      }),
    );
  } finally {
    await rm(gitDir, { recursive: true, force: true });
  }
}

/** As git writes a path: `./live/shop/` and `live/shop` are the same folder. */
function plain(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.length === 0 ? "." : parts.join("/");
}

/** Entries of `git ls-tree -z`: mode, type and id, a tab, the path. */
function readListing(listing: string): readonly (readonly [path: string, id: string])[] {
  return listing.split("\0").flatMap((entry) => {
    const tab = entry.indexOf("\t");
    const id = entry.slice(0, tab).split(" ")[2];
    return tab === -1 || id === undefined ? [] : [[entry.slice(tab + 1), id] as const];
  });
}
