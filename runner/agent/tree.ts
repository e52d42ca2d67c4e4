/** Looks at folders whose content a tenant chose. */
import { createHash } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, readdir, readFile, readlink, realpath, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/** Whether a path, all links followed, is in a folder. */
export async function isInside(root: string, path: string): Promise<boolean> {
  return isUnder(await realpath(root), await realpath(path));
}

function isUnder(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === "" || (way !== ".." && !way.startsWith("../") && !way.startsWith("/"));
}

/** Undefined: there is no such file, it is something else than a file, or a link is on the way to it. */
export async function readOwn(root: string, path: string, maxBytes: number): Promise<Buffer | undefined> {
  if (!(await isInside(root, dirname(path)).catch(() => false))) return undefined;
  return (await readOwnIn(root, path, maxBytes))?.content;
}

export interface OwnFile {
  readonly content: Buffer;
  readonly mode: number;
}

/**
 * The same for what is in a folder that is held. What was opened is what counts: a folder on the way may be exchanged
 * with a link after it was looked at, and only the last part of a path can be opened without following one.
 */
export async function readOwnIn(
  root: string,
  path: string,
  maxBytes: number,
  shown = path,
): Promise<OwnFile | undefined> {
  const file = await openUnfollowed(path, constants.O_NONBLOCK);
  if (file === undefined) return undefined;
  try {
    const facts = await file.stat();
    if (!facts.isFile() || !(await isOpenedIn(root, file))) return undefined;
    if (facts.size > maxBytes) throw new FileTooLarge(shown, maxBytes);
    return { content: await file.readFile(), mode: facts.mode };
  } finally {
    await file.close();
  }
}

/** A folder as it was opened: what is put in its place later is not looked at. */
export interface HeldFolder {
  /** Leads to it for as long as it is held. */
  readonly path: string;
  readonly entries: readonly Dirent[];
  readonly close: () => Promise<void>;
}

/** Undefined: there is no such folder, or there is a link in its place. */
export async function holdFolder(path: string): Promise<HeldFolder | undefined> {
  const folder = await openUnfollowed(path, constants.O_DIRECTORY);
  if (folder === undefined) return undefined;
  const held = descriptorPath(folder);
  try {
    return { path: held, entries: await readdir(held, { withFileTypes: true }), close: () => folder.close() };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

async function openUnfollowed(path: string, flags: number): Promise<FileHandle | undefined> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ELOOP" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}

/** The kernel says where the opened file is, without going the way to it again. */
async function isOpenedIn(root: string, file: FileHandle): Promise<boolean> {
  return isUnder(await realpath(root), await readlink(descriptorPath(file)));
}

const descriptorPath = ({ fd }: FileHandle) => `/proc/self/fd/${fd}`;

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
