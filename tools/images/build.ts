/** Builds the images of the local cluster from this checkout, and only those whose inputs have changed. */
import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle, checkout } from "../bundle.ts";
import { type BinaryPaths, ensureBinaries } from "../cluster/binaries.ts";
import { command } from "../cluster/command.ts";
import { ensureDebianPackages } from "../cluster/debian.ts";
import { withLock } from "../cluster/lock.ts";
import { ensureBase } from "./base.ts";
import { Buildah } from "./buildah.ts";
import { contentKey, type ImageCache, imageCache, keyOf } from "./cache.ts";
import { binaryGroups, type EngineName, engines, stageEngine, stageProviders } from "./engines.ts";

export interface BuiltImage {
  readonly name: string;
  /** An oci-archive. */
  readonly archive: string;
  /** Digest of the manifest, `sha256:…`. */
  readonly digest: string;
}

export interface BuiltRunner extends BuiltImage {
  readonly engine: EngineName;
  /** As users write it in an Environment: `1.12`. */
  readonly version: string;
}

export interface BuiltImages {
  readonly operator: BuiltImage;
  readonly gitserver: BuiltImage;
  readonly runners: readonly BuiltRunner[];
}

export interface BuildOptions {
  readonly engines: readonly EngineName[];
  readonly progress?: (text: string) => void;
  readonly cache?: ImageCache;
}

interface Recipe {
  readonly name: string;
  readonly target: "operator" | "gitserver" | "runner";
  readonly args: Readonly<Record<string, string>>;
  readonly contexts: Readonly<Record<string, string>>;
  /** Files of the bundle that the target copies. */
  readonly programs: readonly string[];
}

interface Workshop {
  readonly cache: ImageCache;
  readonly buildah: Buildah;
  readonly baseKey: string;
  readonly bundles: string;
  readonly progress: (text: string) => void;
}

const kept = 2;
const archiveFormat = "uncompressed layers";

/** Two processes may call this at once: the second waits, and then finds the work done. */
export async function buildImages(options: BuildOptions): Promise<BuiltImages> {
  const cache = options.cache ?? imageCache();
  const progress = options.progress ?? (() => {});
  if (process.getuid?.() !== 0) throw new Error("building images without Docker takes root: run it with sudo");
  await ensureDebianPackages(progress);
  const binaries = await ensureBinaries(binaryGroups(options.engines), progress);
  const waiting = () => progress("another process builds images: waiting for it");
  return withLock(cache.lock, waiting, async () => {
    const workplace = join(cache.root, "work");
    await rm(workplace, { recursive: true, force: true });
    try {
      return await buildAll(cache, workplace, binaries, { ...options, progress });
    } finally {
      await rm(workplace, { recursive: true, force: true });
    }
  });
}

async function buildAll(
  cache: ImageCache,
  workplace: string,
  binaries: BinaryPaths,
  { engines: wanted, progress }: BuildOptions & { progress: (text: string) => void },
): Promise<BuiltImages> {
  const { version, node } = await describeCheckout();
  const buildah = new Buildah(cache);
  const baseKey = await baseImage(cache, buildah, node, progress);
  const bundles = join(workplace, "bundle");
  await bundle({ outdir: bundles, version });
  const labels = async (...paths: readonly string[]) => ({ VERSION: version, REVISION: await lastCommit(paths) });
  const shop: Workshop = { cache, buildah, baseKey, bundles, progress };

  const operator = await make(shop, {
    name: `localhost/terrarium/operator:${version}`,
    target: "operator",
    args: await labels("operator"),
    contexts: {},
    programs: ["operator.mjs", "expressions.mjs", "resolver.mjs"],
  });
  const gitserver = await make(shop, {
    name: `localhost/terrarium/gitserver:${version}`,
    target: "gitserver",
    args: await labels("tools/gitserver"),
    contexts: {},
    programs: ["gitserver.mjs"],
  });
  const runnerLabels = await labels("runner", "operator/engine");
  const runners: BuiltRunner[] = [];
  for (const engine of wanted) runners.push(await makeRunner(shop, engine, workplace, binaries, runnerLabels));
  await buildah.prune();
  return { operator, gitserver, runners };
}

async function makeRunner(
  shop: Workshop,
  engine: EngineName,
  workplace: string,
  binaries: BinaryPaths,
  labels: Readonly<Record<string, string>>,
): Promise<BuiltRunner> {
  const contexts = { [engine]: join(workplace, engine), providers: join(workplace, "providers") };
  await stageEngine(join(workplace, engine), engine, binaries);
  if (!existsSync(contexts.providers)) await stageProviders(contexts.providers, binaries);
  const image = await make(shop, {
    name: `localhost/terrarium/runner:${engines[engine].tag}`,
    target: "runner",
    args: { ...labels, ENGINE: engine },
    contexts,
    programs: ["agent.mjs", "launcher.mjs"],
  });
  return { ...image, engine, version: engines[engine].tag.slice(engine.length + 1) };
}

async function baseImage(
  cache: ImageCache,
  buildah: Buildah,
  node: { readonly path: string; readonly version: string },
  progress: (text: string) => void,
): Promise<string> {
  const { key, rootfs } = await ensureBase(cache, node, progress);
  const name = baseName(key);
  if (await buildah.has(name)) return key;
  progress("base: image");
  const dockerfile = join(checkout, "tools/images/base.Dockerfile");
  const context = join(checkout, "tools/images/etc");
  await buildah.build({ name, dockerfile, context, contexts: { rootfs } });
  return key;
}

function baseName(key: string): string {
  return `localhost/terrarium/base:${key}`;
}

async function make(shop: Workshop, recipe: Recipe): Promise<BuiltImage> {
  const started = Date.now();
  const key = await recipeKey(shop, recipe);
  const short = recipe.name.slice(recipe.name.lastIndexOf("/") + 1).replace(":", "-");
  const archive = join(shop.cache.archives, `${short}-${key}.tar`);
  const record = `${archive}.digest`;
  if (existsSync(archive) && existsSync(record)) {
    const now = new Date();
    await utimes(archive, now, now);
    return { name: recipe.name, archive, digest: (await readFile(record, "utf8")).trim() };
  }
  shop.progress(`${short}: building`);
  await shop.buildah.build({
    name: recipe.name,
    target: recipe.target,
    args: recipe.args,
    context: checkout,
    dockerfile: join(checkout, "Dockerfile"),
    contexts: {
      ...recipe.contexts,
      rootfs: `container-image://${baseName(shop.baseKey)}`,
      bundle: shop.bundles,
    },
  });
  const digest = await shop.buildah.save(recipe.name, archive);
  await writeFile(record, `${digest}\n`);
  await forgetOld(shop.cache.archives, short);
  shop.progress(`${short}: built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return { name: recipe.name, archive, digest };
}

async function recipeKey(shop: Workshop, recipe: Recipe): Promise<string> {
  const ours = ["Dockerfile", "tools/images/etc", "tools/images/providers"].map((path) => join(checkout, path));
  const programs = recipe.programs.map((file) => join(shop.bundles, file));
  const folders = Object.values(recipe.contexts);
  const contents = await Promise.all([...ours, ...programs, ...folders].map(contentKey));
  return keyOf([archiveFormat, shop.baseKey, recipe.name, recipe.target, JSON.stringify(recipe.args), ...contents]);
}

/** Archives of one image are large; the newest two serve whoever goes back and forth between branches. */
async function forgetOld(folder: string, short: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.startsWith(`${short}-`) && file.endsWith(".tar"));
  const dated = await Promise.all(files.map(async (file) => ({ file, at: (await stat(join(folder, file))).mtimeMs })));
  // A build that was killed leaves these; nobody else is at work while we hold the lock.
  const unfinished = (await readdir(folder)).filter((file) => /\.tar\.(folder|unfinished)$/.test(file));
  for (const file of unfinished) await rm(join(folder, file), { recursive: true, force: true });
  const old = dated.sort((a, b) => b.at - a.at).slice(kept);
  for (const { file } of old) {
    await rm(join(folder, file), { force: true });
    await rm(join(folder, `${file}.digest`), { force: true });
  }
}

async function describeCheckout(): Promise<{
  version: string;
  node: { path: string; version: string };
}> {
  const read = async (file: string): Promise<{ readonly version: string }> =>
    JSON.parse(await readFile(join(checkout, file), "utf8")) as { readonly version: string };
  const { version } = await read("package.json");
  const node = {
    path: join(checkout, "node_modules/node/bin/node"),
    version: (await read("node_modules/node/package.json")).version,
  };
  return { version, node };
}

/** The last commit that touched what is in an image: others must not make a new one. */
async function lastCommit(paths: readonly string[]): Promise<string> {
  const args = ["log", "-1", "--format=%H", "--", "Dockerfile", ...paths];
  const found = await command("git", args, { cwd: checkout }).catch(() => "");
  return found.trim() || "unknown";
}
