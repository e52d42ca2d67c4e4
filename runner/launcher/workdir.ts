/** Lays out the engine's working copy: the source, then the overlay over it. No link of a source may lead out of the tree. */
import { constants } from "node:fs";
import { chmod, copyFile, cp, lstat, mkdir, readdir, readlink, realpath, rm, symlink } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { erroredStateFile } from "../../operator/engine/names.ts";

export interface TreePaths {
  readonly source: string;
  readonly overlay: string;
  readonly work: string;
}

export interface Tree {
  files: number;
  bytes: number;
  /** What an engine leaves behind, committed with the source: files and folders that were not copied. */
  leftOut: number;
}

/** Where an engine keeps what `init` fetched and chose. */
const engineFolder = ".terraform";

/**
 * An engine's own traces in a source are those of somebody else's run: a state that could not be stored would be taken
 * for ours, and the folder names backends, workspaces and modules. The lock file of the providers is meant to be there.
 */
const traces: ReadonlySet<string> = new Set([erroredStateFile, engineFolder]);

/** The tree holds what must not be copied. The message names the path inside the tree. */
export class TreeRefused extends Error {
  override readonly name = "TreeRefused";
}

export async function prepareTree(paths: TreePaths): Promise<Tree> {
  await rm(paths.work, { recursive: true, force: true });
  await mkdir(paths.work, { recursive: true });
  const tree: Tree = { files: 0, bytes: 0, leftOut: 0 };
  if (await exists(paths.source)) await copyFolder(await realpath(paths.source), "", paths.work, tree, leaveOut);
  if (await exists(paths.overlay)) await copyFolder(await realpath(paths.overlay), "", paths.work, tree, copyModules);
  return tree;
}

type CopyTrace = (from: string, target: string, tree: Tree) => Promise<void>;

const leaveOut: CopyTrace = async (_from, _target, tree) => {
  tree.leftOut += 1;
};

/** The overlay is ours: modules in it are those that a plan was made with, just as `init` had fetched them. */
const copyModules: CopyTrace = async (from, target, tree) => {
  if (basename(from) !== engineFolder || !(await exists(join(from, "modules")))) return leaveOut(from, target, tree);
  await cp(join(from, "modules"), join(target, "modules"), { recursive: true, verbatimSymlinks: true });
};

async function copyFolder(root: string, folder: string, work: string, tree: Tree, copyTrace: CopyTrace): Promise<void> {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const target = join(work, path);
    if (traces.has(entry.name)) {
      await copyTrace(join(root, path), target, tree);
    } else if (entry.isDirectory()) {
      await makeFolder(target);
      await copyFolder(root, path, work, tree, copyTrace);
    } else if (entry.isSymbolicLink()) {
      await copyLink(root, path, target, tree);
    } else if (entry.isFile()) {
      await copyOne(join(root, path), target, tree);
    } else {
      throw new TreeRefused(`"${path}" is neither a file, a folder nor a link`);
    }
  }
}

/** A folder of the overlay replaces a file or link of that name: nothing may be written through a link. */
async function makeFolder(target: string): Promise<void> {
  const there = await lstat(target).catch(() => undefined);
  if (there?.isDirectory() === true) return;
  await rm(target, { force: true });
  await mkdir(target);
}

async function copyOne(from: string, target: string, tree: Tree): Promise<void> {
  const { mode, size } = await lstat(from);
  await rm(target, { recursive: true, force: true });
  await copyFile(from, target, constants.COPYFILE_EXCL);
  await chmod(target, (mode & 0o111) === 0 ? 0o660 : 0o770);
  tree.files += 1;
  tree.bytes += size;
}

/** Judged by where the link really leads, links on its way included; one that leads nowhere is left out. */
async function copyLink(root: string, path: string, target: string, tree: Tree): Promise<void> {
  const text = await readlink(join(root, path));
  const end = await realpath(join(root, path)).catch(() => undefined);
  if (end === undefined) return;
  if (text.startsWith("/") || !isInside(root, end)) throw new TreeRefused(`the link "${path}" leads out of the source`);
  await rm(target, { recursive: true, force: true });
  await symlink(text, target);
  tree.files += 1;
}

export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === "" || (way !== ".." && !way.startsWith("../") && !way.startsWith("/"));
}

/**
 * Lets the agent, which runs under another user id, read what a command left behind: providers write files that only
 * their owner can read, and archives of modules hold such. Downloaded providers are not its business.
 */
export async function shareWithGroup(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    const wanted = entry.isDirectory() ? 0o050 : entry.isFile() ? 0o040 : 0;
    if (wanted === 0) continue;
    const { mode } = await lstat(path);
    if ((mode & wanted) !== wanted) await chmod(path, (mode & 0o7777) | wanted);
    const providers = basename(folder) === engineFolder && entry.name === "providers";
    if (entry.isDirectory() && !providers) await shareWithGroup(path);
  }
}

/**
 * Removes local states from a folder in which an engine is about to run for the first time: `init` would want to move
 * them to the backend. Elsewhere in the source a state is a file like any other, which a module may read.
 */
export async function removeLocalStates(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => /^\.?terraform\.tfstate(\.|$)/.test(name));
  for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
  return names.length;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
