/**
 * All that destroying needs, as one file: the source, the resolved variables, the lock file of the providers, and the
 * credentials that are kept. The same content gives the same bytes.
 */
import { chmod, lstat, mkdir, readdir, readFile, readlink, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import { failed } from "./ending.ts";
import { isFolder } from "./tree.ts";

export interface ArchivedInputs {
  readonly path: string;
  readonly revision?: string;
  readonly variables: ReadonlyMap<string, unknown>;
  /** Values that must not be printed. */
  readonly secrets: readonly string[];
  readonly lockFile?: string;
  readonly credentials: ReadonlyMap<string, ReadonlyMap<string, Buffer>>;
}

/** Bytes of the clear content and of the compressed file. */
export const archiveLimits = { content: 256 * 1024 * 1024, file: 32 * 1024 * 1024 } as const;

const manifest = z.object({
  version: z.literal(1),
  path: z.string(),
  revision: z.string().optional(),
  variables: z.array(z.tuple([z.string(), z.json()])),
  secrets: z.array(z.string()),
  lockFile: z.string().optional(),
  credentials: z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), z.base64()]))])),
});

export async function packArchive(source: string, inputs: ArchivedInputs): Promise<Buffer> {
  const { pack } = await import("tar-stream");
  const tar = pack();
  const bytes = buffer(tar);
  tar.entry({ name: "terrarium.json", mtime: new Date(0) }, manifestText(inputs));
  await addFolder(tar, source, "", { content: 0 });
  tar.finalize();
  const file = await promisify(gzip)(await bytes);
  if (file.length > archiveLimits.file) throw tooLarge("compressed", archiveLimits.file);
  return file;
}

/** Writes the source into the folder, which must be empty, and returns the rest. */
export async function unpackArchive(file: Buffer, source: string): Promise<ArchivedInputs> {
  const { extract } = await import("tar-stream");
  const tar = extract();
  tar.end(await promisify(gunzip)(file, { maxOutputLength: archiveLimits.content + 64 * 1024 * 1024 }));
  let inputs: ArchivedInputs | undefined;
  for await (const entry of tar) {
    const { name, type = "file", linkname, mode } = entry.header;
    const content = await buffer(entry);
    if (name === "terrarium.json") inputs = readManifest(content.toString("utf8"));
    else if (name.startsWith("source/")) await place(source, { name: name.slice(7), type, linkname, mode, content });
  }
  if (inputs === undefined) throw new Error("the archive has no terrarium.json: it was not made by this program");
  return inputs;
}

function manifestText({ variables, credentials, ...rest }: ArchivedInputs): string {
  const kept = [...credentials].map(([name, data]) => [
    name,
    [...data].map(([key, value]) => [key, value.toString("base64")]).sort(byName),
  ]);
  return JSON.stringify({
    version: 1,
    ...rest,
    variables: [...variables].sort(byName),
    credentials: kept.sort(byName),
  });
}

function readManifest(text: string): ArchivedInputs {
  const { path, revision, variables, secrets, lockFile, credentials } = manifest.parse(JSON.parse(text));
  return {
    path,
    ...(revision === undefined ? {} : { revision }),
    variables: new Map(variables),
    secrets,
    ...(lockFile === undefined ? {} : { lockFile }),
    credentials: new Map(
      credentials.map(([name, data]) => [
        name,
        new Map(data.map(([key, value]) => [key, Buffer.from(value, "base64")])),
      ]),
    ),
  };
}

type Pack = ReturnType<typeof import("tar-stream").pack>;

async function addFolder(tar: Pack, root: string, folder: string, total: { content: number }): Promise<void> {
  for (const name of (await readdir(join(root, folder))).sort()) {
    const path = posix.join(folder, name);
    const full = join(root, path);
    const facts = await lstat(full);
    const header = { name: `source/${path}`, mtime: new Date(0), mode: (facts.mode & 0o111) === 0 ? 0o644 : 0o755 };
    if (facts.isDirectory()) {
      await addFolder(tar, root, path, total);
    } else if (facts.isSymbolicLink()) {
      const end = await realpath(full).catch(() => undefined);
      if (end === undefined) continue;
      tar.entry({ ...header, type: "symlink", linkname: await readlink(full) });
    } else if (facts.isFile()) {
      total.content += facts.size;
      if (total.content > archiveLimits.content) throw tooLarge("in all", archiveLimits.content);
      tar.entry(header, await readFile(full));
    }
  }
}

export interface Placed {
  readonly name: string;
  readonly type: string | null;
  readonly linkname?: string | null | undefined;
  readonly mode?: number | undefined;
  readonly content: Buffer;
}

/** Writes one file, folder or link of a tree, never outside of it and never through a link. */
export async function place(root: string, placed: Placed, { replace = false } = {}): Promise<void> {
  const { type, linkname, mode = 0o644, content } = placed;
  const path = posix.normalize(placed.name);
  if (path.startsWith("/") || path.split("/").includes(".."))
    throw new Error("the archive holds a path that leads out");
  const full = join(root, path);
  await makeFolder(root, type === "directory" ? path : dirname(path));
  if (type === "directory") return;
  if (replace) await rm(full, { force: true });
  if (type === "symlink" && typeof linkname === "string") await symlink(linkname, full);
  if (type !== "file") return;
  await writeFile(full, content, { flag: "wx" });
  await chmod(full, mode);
}

/** Part by part, since a link on the way would have folders made at its end. */
async function makeFolder(root: string, path: string): Promise<void> {
  await mkdir(root, { recursive: true });
  let folder = root;
  for (const part of path.split("/").filter((one) => one !== ".")) {
    folder = join(folder, part);
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    if (!(await isFolder(folder))) throw new Error("the archive writes through a link");
  }
}

function tooLarge(what: string, limit: number) {
  return failed(
    "SourceInvalid",
    `the source is too large to be kept for destroying: more than ${limit / 1024 / 1024} MiB ${what}. Keep large files out of the repository, or give the modules one of their own`,
  );
}

function byName(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}
