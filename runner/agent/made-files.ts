/** What a working copy holds besides its source: files that were made while planning, and the modules that `init` fetched. */
import type { Dirent } from "node:fs";
import { readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { erroredStateFile } from "../../operator/engine/names.ts";
import type { PodLayout } from "./layout.ts";
import { holdFolder, readOwn, readOwnIn } from "./tree.ts";

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
export async function* madeFiles(layout: Paths, maxBytes: number): AsyncGenerator<Made> {
  yield* madeIn({ at: layout.work, path: "" }, layout, maxBytes);
}

/** Something in the working copy: its name there, and how to reach it while the folder that it is in is held. */
interface Place {
  readonly at: string;
  readonly path: string;
}

async function* madeIn(folder: Place, layout: Paths, maxBytes: number): AsyncGenerator<Made> {
  for await (const [entry, place] of entriesOf(folder)) {
    if (entry.name === erroredStateFile) continue;
    if (entry.name === ".terraform") {
      if (entry.isDirectory()) yield* fetchedIn(place, layout, maxBytes);
    } else if (entry.isDirectory()) {
      yield* madeIn(place, layout, maxBytes);
    } else if (entry.isFile()) {
      const file = await fileAt(layout, place, maxBytes, false);
      if (file !== undefined && !(await isLaidOut(layout, file, maxBytes))) yield file;
    }
  }
}

async function* fetchedIn(folder: Place, layout: Paths, maxBytes: number): AsyncGenerator<Made> {
  for await (const [entry, place] of entriesOf(folder))
    if (entry.name === "modules") yield* fetchedModules(place, layout, maxBytes);
}

/**
 * A plan holds the configuration of its modules and no other file of them, and what their sources name may be another
 * one tomorrow. What git needs to fetch a module is left out: it can be many times as large, and name a password.
 */
async function* fetchedModules(folder: Place, layout: Paths, maxBytes: number): AsyncGenerator<Made> {
  for await (const [entry, place] of entriesOf(folder)) {
    const { at, path } = place;
    if (entry.name === ".git") continue;
    if (entry.isDirectory()) {
      yield { type: "directory", path };
      yield* fetchedModules(place, layout, maxBytes);
    } else if (entry.isSymbolicLink()) {
      yield { type: "symlink", path, linkname: await readlink(at) };
    } else if (entry.isFile()) {
      const file = await fileAt(layout, place, maxBytes, true);
      if (file !== undefined) yield file;
    }
  }
}

/** None where there is no such folder. A process of the engine may put a link in the place of any folder while this looks. */
async function* entriesOf({ at, path }: Place): AsyncGenerator<readonly [Dirent, Place]> {
  const folder = await holdFolder(at);
  if (folder === undefined) return;
  try {
    for (const entry of folder.entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
      yield [entry, { at: join(folder.path, entry.name), path: posix.join(path, entry.name) }];
  } finally {
    await folder.close();
  }
}

async function fileAt(
  layout: Paths,
  { at, path }: Place,
  maxBytes: number,
  fetched: boolean,
): Promise<MadeFile | undefined> {
  const file = await readOwnIn(layout.out, at, maxBytes, join(layout.work, path));
  return file && { type: "file", path, mode: file.mode & 0o777, content: file.content, fetched };
}

/** Byte for byte what the working copy was laid out from. */
async function isLaidOut(layout: Paths, { path, content }: MadeFile, maxBytes: number): Promise<boolean> {
  for (const root of [join(layout.in, "overlay"), join(layout.in, "source")]) {
    const given = await readOwn(root, join(root, path), maxBytes).catch(() => undefined);
    if (given !== undefined) return given.equals(content);
  }
  return false;
}
