import { readlink } from "node:fs/promises";
import { posix } from "node:path";
import { GitError } from "./git-error.ts";

/**
 * Whether a link may point out of the tree. Only `../` at the beginning is followed in thought: git puts every file into a
 * real folder, so these steps are certain; a `..` behind a name may pass through another link and is refused.
 */
export function linkEscapes(path: string, target: string): boolean {
  if (target === "" || target.startsWith("/") || target.includes("\0")) return true;
  const steps = target.split("/").filter((step) => step !== "" && step !== ".");
  const ups = steps.findIndex((step) => step !== "..");
  const leading = ups === -1 ? steps.length : ups;
  if (steps.slice(leading).includes("..")) return true;
  const folder = posix.dirname(path);
  const depth = folder === "." ? 0 : folder.split("/").length;
  return leading > depth;
}

/** Throws GitError when one of the checked out links points out of the folder. Paths are bytes: git's need not be UTF-8. */
export async function refuseEscapingLinks(directory: string, links: readonly Buffer[]): Promise<void> {
  for (const path of links) {
    const target = await readlink(Buffer.concat([Buffer.from(`${directory}/`), path]), "buffer");
    // One character for each byte: only slashes and dots matter here.
    if (!linkEscapes(path.toString("latin1"), target.toString("latin1"))) continue;
    const [link, to] = [path, target].map((bytes) => JSON.stringify(bytes.toString("utf8").slice(0, 100)));
    throw new GitError(
      "GitFailed",
      `the repository holds the symbolic link ${link} to ${to}, which leads out of it; remove it or make it a plain relative link`,
    );
  }
}
