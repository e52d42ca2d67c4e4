/** What a working copy holds besides its source: files that were made while planning, and the modules that `init` fetched. */
import { lstat, readdir, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { erroredStateFile } from "../../operator/engine/names.ts";
import type { PodLayout } from "./layout.ts";
import { readOwn } from "./tree.ts";

export type Paths = Pick<PodLayout, "in" | "out" | "work">;

export interface MadeFile {
  readonly type: "file";
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
  /** It belongs to a module that `init` fetched. */
  readonly fetched: boolean;
}

export type Made =
  | MadeFile
  | { readonly type: "directory"; readonly path: string }
  | { readonly type: "symlink"; readonly path: string; readonly linkname: string };

/** In the order of their names, folders before what is in them. Throws FileTooLarge for a file with more bytes. */
export async function* madeFiles(layout: Paths, maxBytes: number, folder = ""): AsyncGenerator<Made> {
  for (const entry of await entriesOf(layout, folder)) {
    const path = posix.join(folder, entry.name);
    if (entry.name === erroredStateFile) continue;
    if (entry.name === ".terraform") {
      if (entry.isDirectory()) yield* fetchedModules(layout, maxBytes, posix.join(path, "modules"));
    } else if (entry.isDirectory()) {
      yield* madeFiles(layout, maxBytes, path);
    } else if (entry.isFile()) {
      const file = await fileAt(layout, path, maxBytes, false);
      if (file !== undefined && !(await isLaidOut(layout, file, maxBytes))) yield file;
    }
  }
}

/**
 * A plan holds the configuration of its modules and no other file of them, and what their sources name may be another
 * one tomorrow. What git needs to fetch a module is left out: it can be many times as large, and name a password.
 */
async function* fetchedModules(layout: Paths, maxBytes: number, folder: string): AsyncGenerator<Made> {
  for (const entry of await entriesOf(layout, folder)) {
    const path = posix.join(folder, entry.name);
    if (entry.name === ".git") continue;
    if (entry.isDirectory()) {
      yield { type: "directory", path };
      yield* fetchedModules(layout, maxBytes, path);
    } else if (entry.isSymbolicLink()) {
      yield { type: "symlink", path, linkname: await readlink(join(layout.work, path)) };
    } else if (entry.isFile()) {
      const file = await fileAt(layout, path, maxBytes, true);
      if (file !== undefined) yield file;
    }
  }
}

async function entriesOf({ work }: Paths, folder: string) {
  const entries = await readdir(join(work, folder), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function fileAt(layout: Paths, path: string, maxBytes: number, fetched: boolean): Promise<MadeFile | undefined> {
  const full = join(layout.work, path);
  const { mode } = await lstat(full);
  const content = await readOwn(layout.out, full, maxBytes);
  return content === undefined ? undefined : { type: "file", path, mode: mode & 0o777, content, fetched };
}

/** Byte for byte what the working copy was laid out from. */
async function isLaidOut(layout: Paths, { path, content }: MadeFile, maxBytes: number): Promise<boolean> {
  for (const root of [join(layout.in, "overlay"), join(layout.in, "source")]) {
    const given = await readOwn(root, join(root, path), maxBytes).catch(() => undefined);
    if (given !== undefined) return given.equals(content);
  }
  return false;
}
