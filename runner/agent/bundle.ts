/**
 * A plan that waits, as one file: the plan itself, and every file of the working copy that its source does not have. A plan may refer to
 * files that were made while it was made (`archive_file` does that); without them it cannot be applied elsewhere.
 */
import { mkdir, readdir } from "node:fs/promises";
import { join, posix } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { erroredStateFile } from "../../operator/engine/names.ts";
import { place } from "./archive.ts";
import { failed } from "./ending.ts";
import { FILES, type PodLayout } from "./layout.ts";
import { readOwn } from "./tree.ts";

/** Bytes of the plan and of all other files together, and of the compressed file. */
export const bundleLimits = { plan: 512 * 1024 * 1024, files: 128 * 1024 * 1024, bundle: 240 * 1024 * 1024 } as const;

type Paths = Pick<PodLayout, "in" | "out" | "work">;

const PLAN = "plan";
const MADE = "made/";

export async function packBundle(layout: Paths): Promise<Buffer> {
  const { pack } = await import("tar-stream");
  const plan = await readOwn(layout.out, join(layout.out, FILES.plan), bundleLimits.plan);
  if (plan === undefined) throw failed("PlanFailed", "the engine reported success and left no plan");
  const tar = pack();
  const bytes = buffer(tar);
  tar.entry({ name: PLAN, mtime: new Date(0) }, plan);
  let total = 0;
  for await (const { path, content } of madeFiles(layout, "")) {
    total += content.length;
    if (total > bundleLimits.files)
      throw tooLarge(`the files that were made while planning have more than ${mib(bundleLimits.files)}`);
    tar.entry({ name: `${MADE}${path}`, mtime: new Date(0), mode: 0o640 }, content);
  }
  tar.finalize();
  const packed = await promisify(gzip)(await bytes, { level: 1 });
  if (packed.length > bundleLimits.bundle)
    throw tooLarge(`the plan has more than ${mib(bundleLimits.bundle)} compressed`);
  return packed;
}

/** Lays the files that were made out over the source, and returns the plan. The folder of the overlay must exist. */
export async function unpackBundle(bundle: Buffer, overlay: string): Promise<Buffer> {
  await mkdir(overlay, { recursive: true });
  const { extract } = await import("tar-stream");
  const tar = extract();
  const maxOutputLength = bundleLimits.plan + bundleLimits.files + 64 * 1024 * 1024;
  tar.end(await promisify(gunzip)(bundle, { maxOutputLength }));
  let plan: Buffer | undefined;
  for await (const entry of tar) {
    const { name, type, mode } = entry.header;
    const content = await buffer(entry);
    if (name === PLAN) plan = content;
    else if (name.startsWith(MADE) && type === "file")
      // The lock file of the providers, for one, is in the overlay already: that of the plan is the one that counts.
      await place(overlay, name.slice(MADE.length), "file", undefined, mode, content, "w");
  }
  if (plan === undefined) throw new Error("the bundle holds no plan: it was not made by this program");
  return plan;
}

/** Everything that is in the working copy and not, byte for byte, in what it was laid out from. */
async function* madeFiles(
  layout: Paths,
  folder: string,
): AsyncGenerator<{ readonly path: string; readonly content: Buffer }> {
  const entries = await readdir(join(layout.work, folder), { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = posix.join(folder, entry.name);
    if (entry.name === ".terraform" || entry.name === erroredStateFile) continue;
    if (entry.isDirectory()) yield* madeFiles(layout, path);
    if (!entry.isFile()) continue;
    const content = await readOwn(layout.out, join(layout.work, path), bundleLimits.files);
    if (content !== undefined && !(await isLaidOut(layout, path, content))) yield { path, content };
  }
}

async function isLaidOut(layout: Paths, path: string, content: Buffer): Promise<boolean> {
  for (const root of [join(layout.in, "overlay"), join(layout.in, "source")]) {
    const given = await readOwn(root, join(root, path), bundleLimits.files).catch(() => undefined);
    if (given !== undefined) return given.equals(content);
  }
  return false;
}

const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;

function tooLarge(what: string) {
  return failed("PlanFailed", `the plan is too large to wait for approval: ${what}`, { retry: "Never" });
}
