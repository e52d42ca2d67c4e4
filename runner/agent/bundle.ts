/**
 * A plan that waits, as one file: the plan itself, and every file of the working copy that its source does not have. A plan may refer to
 * files that were made while it was made (`archive_file` does that), and to files of modules that `init` fetched; without them it cannot
 * be applied elsewhere, or not as it was approved.
 */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { createGzip, gunzip } from "node:zlib";
import { place } from "./archive.ts";
import { failed } from "./ending.ts";
import { FILES } from "./layout.ts";
import { type MadeFile, madeFiles, type Paths } from "./made-files.ts";
import { FileTooLarge, readOwn } from "./tree.ts";

const MIB = 1024 * 1024;

/** Bytes of the plan, of the files that were made, and of the modules, where the same content counts once; and of the compressed file. */
export const bundleLimits = {
  plan: 512 * MIB,
  files: 128 * MIB,
  modules: 128 * MIB,
  bundle: 240 * MIB,
  /** How many files there may be. */
  entries: 100_000,
};
/** What the form takes for each file besides its content, long names included. */
const entryBytes = 4096;

const PLAN = "plan";
const MADE = "made/";
const never = new Date(0);

export async function packBundle(layout: Paths, limits = bundleLimits): Promise<Buffer> {
  const { pack } = await import("tar-stream");
  const plan = await readOwn(layout.out, join(layout.out, FILES.plan), limits.plan);
  if (plan === undefined) throw failed("PlanFailed", "the engine reported success and left no plan");
  const tar = pack();
  const packing = buffer(tar.pipe(createGzip({ level: 1 })));
  tar.entry({ name: PLAN, mtime: never }, plan);
  await addMade(tar, layout, limits).catch((error: unknown) => {
    throw error instanceof FileTooLarge ? tooLarge(error.message) : error;
  });
  tar.finalize();
  const packed = await packing;
  if (packed.length > limits.bundle) throw tooLarge(`it has more than ${mib(limits.bundle)} compressed`);
  return packed;
}

/** Lays the files that were made out over the source, and returns the plan. The folder of the overlay must exist. */
export async function unpackBundle(bundle: Buffer, overlay: string): Promise<Buffer> {
  await mkdir(overlay, { recursive: true });
  const { extract } = await import("tar-stream");
  const tar = extract();
  const { plan: planBytes, files, modules, entries } = bundleLimits;
  const maxOutputLength = planBytes + files + modules + entries * entryBytes;
  tar.end(await promisify(gunzip)(bundle, { maxOutputLength }));
  let plan: Buffer | undefined;
  for await (const entry of tar) {
    const { name, type = "file", mode, linkname } = entry.header;
    const bytes = await buffer(entry);
    if (name === PLAN) plan = bytes;
    if (!name.startsWith(MADE)) continue;
    const made =
      type === "link" ? { type: "file", content: await unpacked(overlay, linkname) } : { type, content: bytes };
    // The lock file of the providers, for one, is in the overlay already: that of the plan is the one that counts.
    await place(overlay, { ...made, name: inOverlay(name), linkname, mode }, { replace: true });
  }
  if (plan === undefined) throw new Error("the bundle holds no plan: it was not made by this program");
  return plan;
}

async function unpacked(overlay: string, name: string | null | undefined): Promise<Buffer> {
  const before = await readOwn(overlay, join(overlay, inOverlay(name ?? "")), bundleLimits.plan);
  if (before === undefined) throw new Error("the bundle names a file that does not come before");
  return before;
}

type Pack = ReturnType<typeof import("tar-stream").pack>;

/** Every call of a module has a copy of its whole repository: the same content is stored once. */
async function addMade(tar: Pack, layout: Paths, limits: typeof bundleLimits): Promise<void> {
  const names = new Map<string, string>();
  const total = { files: 0, modules: 0, entries: 0 };
  for await (const made of madeFiles(layout, Math.max(limits.files, limits.modules))) {
    total.entries += 1;
    if (total.entries > limits.entries) throw tooLarge(`there are more than ${limits.entries} files beside it`);
    const header = { name: `${MADE}${made.path}`, mtime: never };
    if (made.type !== "file") {
      tar.entry({ ...header, ...made });
      continue;
    }
    const { content, mode } = made;
    const digest = createHash("sha256").update(content).digest("hex");
    const linkname = names.get(digest);
    if (linkname !== undefined) {
      tar.entry({ ...header, mode, type: "link", linkname });
    } else {
      mustFit(made, total, limits);
      names.set(digest, header.name);
      tar.entry({ ...header, mode }, content);
    }
  }
}

function mustFit({ fetched, content }: MadeFile, total: Sizes, limits: Sizes): void {
  const kind = fetched ? "modules" : "files";
  total[kind] += content.length;
  if (total[kind] <= limits[kind]) return;
  throw tooLarge(
    fetched
      ? `the modules that init fetched have more than ${mib(limits.modules)}. Keep large files out of their repositories, or give the modules one of their own`
      : `the files that were made while planning have more than ${mib(limits.files)}`,
  );
}

interface Sizes {
  files: number;
  modules: number;
}

const inOverlay = (name: string) => name.slice(MADE.length);
const mib = (bytes: number) => `${bytes / MIB} MiB`;

function tooLarge(what: string) {
  return failed("PlanFailed", `the plan is too large to wait for approval: ${what}`, { retry: "Never" });
}
