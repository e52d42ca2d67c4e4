/** Where images are kept between runs, outside any checkout, and the names of things in there: hashes of what went in. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { cacheDirectory } from "../cluster/paths.ts";

export interface ImageCache {
  readonly root: string;
  /** buildah's own storage. Nobody else's images are in it. */
  readonly storage: string;
  readonly runroot: string;
  /** Root file systems for the base image, by key. */
  readonly base: string;
  /** oci-archives, by key. */
  readonly archives: string;
  readonly lock: string;
}

export function imageCache(root: string = join(cacheDirectory(), "images")): ImageCache {
  return {
    root,
    storage: join(root, "storage"),
    runroot: join(root, "run"),
    base: join(root, "base"),
    archives: join(root, "archives"),
    lock: join(root, "lock"),
  };
}

/** Hash of texts, in order: 16 hexadecimal digits are enough to tell a few hundred images apart. */
export function keyOf(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("hex").slice(0, 16);
}

/** Hash of a file, or of a folder with all that is in it: names, contents, executable bits and targets of links. */
export async function contentKey(path: string): Promise<string> {
  const info = await lstat(path);
  if (info.isSymbolicLink()) return keyOf(["link", await readlink(path)]);
  if (info.isFile()) return keyOf(["file", (info.mode & 0o111) === 0 ? "" : "x", await fileHash(path)]);
  const names = (await readdir(path)).sort();
  const entries = await Promise.all(names.map(async (name) => [name, await contentKey(join(path, name))]));
  return keyOf(["folder", ...entries.flat()]);
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}
