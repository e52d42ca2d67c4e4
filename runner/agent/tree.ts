/** Looks at folders whose content a tenant chose. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir, readFile, readlink, realpath, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/** Whether a path, all links followed, is in a folder. */
export async function isInside(root: string, path: string): Promise<boolean> {
  const way = relative(await realpath(root), await realpath(path));
  return way === "" || (way !== ".." && !way.startsWith("../") && !way.startsWith("/"));
}

/** Undefined: there is no such file, it is something else than a file, or a link is on the way to it. */
export async function readOwn(root: string, path: string, maxBytes: number): Promise<Buffer | undefined> {
  const folder = dirname(path);
  if (!(await isInside(root, folder).catch(() => false))) return undefined;
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ELOOP" || error.code === "ENOTDIR") return undefined;
      throw error;
    },
  );
  if (file === undefined) return undefined;
  try {
    const facts = await file.stat();
    if (!facts.isFile()) return undefined;
    if (facts.size > maxBytes) throw new FileTooLarge(path, maxBytes);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

export class FileTooLarge extends Error {
  override readonly name = "FileTooLarge";
  constructor(path: string, maxBytes: number) {
    super(`${path} is larger than ${maxBytes} bytes`);
  }
}

export async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true;
}

/** The same for the same files and links under the same names. */
export async function treeDigest(root: string): Promise<string> {
  const hash = createHash("sha256");
  // Without file types, Node.js walks through links.
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const path of entries.map(({ parentPath, name }) => join(parentPath, name)).sort()) {
    const facts = await lstat(path);
    const name = relative(root, path);
    if (facts.isSymbolicLink()) hash.update(JSON.stringify([name, "link", await readlink(path)]));
    if (facts.isFile()) hash.update(JSON.stringify([name, "file", await readFile(path, "base64")]));
  }
  return `sha256:${hash.digest("hex")}`;
}

/** A volume's own folder cannot be removed, its content can. */
export async function emptyFolder(path: string): Promise<void> {
  for (const name of await readdir(path).catch(() => [])) await rm(join(path, name), { recursive: true, force: true });
}
