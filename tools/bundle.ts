/** Bundles each program of the images into one file under dist/: a pod starts a single file, not a tree of modules. */
import { existsSync } from "node:fs";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";

export const checkout = fileURLToPath(new URL("..", import.meta.url));

/** Program of an image → the TypeScript file it starts from. */
export const programs = {
  operator: "operator/main.ts",
  expressions: "operator/expressions/main.ts",
  resolver: "operator/resolver/main.ts",
  agent: "runner/agent/main.ts",
  launcher: "runner/launcher/main.ts",
  gitserver: "tools/gitserver/main.ts",
} as const;

export type Program = keyof typeof programs;

export interface BundleOptions {
  readonly outdir: string;
  readonly version: string;
  /** Default: all of them. */
  readonly only?: readonly Program[];
}

// Dependencies in CommonJS ask for node's own modules with `require`, which an ES module does not have.
const banner = `import { createRequire as terrariumRequire } from "node:module";
const require = terrariumRequire(import.meta.url);`;

// zod brings its messages in fifty languages, half of its size. Every process start would read them.
const englishOnly: Plugin = {
  name: "english-only",
  setup: (build) =>
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    })),
};

export class MissingProgram extends Error {
  override readonly name = "MissingProgram";
  constructor(missing: readonly Program[]) {
    const list = missing.map((program) => `${programs[program]} (for dist/${program}.mjs)`).join(", ");
    super(`cannot bundle: ${list} ${missing.length === 1 ? "does" : "do"} not exist in this checkout`);
  }
}

/** The sources do not fit together: esbuild has said where on stderr. */
export class BundleFailed extends Error {
  override readonly name = "BundleFailed";
}

/** Writes `<outdir>/<program>.mjs` for each program; the same sources give the same bytes. Throws MissingProgram or BundleFailed. */
export async function bundle({ outdir, version, only }: BundleOptions): Promise<readonly string[]> {
  const wanted = only ?? (Object.keys(programs) as Program[]);
  const missing = wanted.filter((program) => !existsSync(join(checkout, programs[program])));
  if (missing.length > 0) throw new MissingProgram(missing);
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  await build({
    ...shared(version),
    entryPoints: wanted.map((program) => ({ in: programs[program], out: program })),
    outdir,
    outExtension: { ".js": ".mjs" },
    target: "node24",
    format: "esm",
    banner: { js: banner },
  }).catch(failed);
  return wanted.map((program) => join(outdir, `${program}.mjs`));
}

/** The program that people start as `kubectl terrarium`: on the Node of their machine, and from any folder on their PATH. */
const PLUGIN = "plugin/main.ts";

// CommonJS: of a file without an extension, as kubectl finds it, Node believes nothing else everywhere, and the first line of it can
// speak before a Node that is too old trips over the rest.
const pluginBanner = `#!/usr/bin/env node
{
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 19)) {
    console.error("kubectl-terrarium needs Node 22.19 or later, and this is " + process.version + ": put a newer node first on the PATH (https://nodejs.org)");
    process.exit(1);
  }
}`;

/** Writes the plugin as one executable file. The same sources give the same bytes. Throws BundleFailed. */
export async function bundlePlugin(file: string, version: string): Promise<void> {
  await build({
    ...shared(version),
    entryPoints: [PLUGIN],
    outfile: file,
    target: "node22",
    format: "cjs",
    banner: { js: pluginBanner },
  }).catch(failed);
  await chmod(file, 0o755);
}

function shared(version: string) {
  return {
    absWorkingDir: checkout,
    bundle: true,
    platform: "node",
    define: { "process.env.TERRARIUM_BUILD_VERSION": JSON.stringify(version) },
    // Names stay: a stack trace in a log is worth more than a few kilobytes.
    plugins: [englishOnly],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    sourcemap: false,
    logLevel: "warning",
  } as const satisfies BuildOptions;
}

function failed(error: Error): never {
  throw new BundleFailed(`cannot bundle: ${error.message.split("\n").slice(1, 4).join("\n")}\nTry: npm run types`);
}

async function main(): Promise<void> {
  const { version } = (await import("../package.json", { with: { type: "json" } })).default;
  for (const file of await bundle({ outdir: join(checkout, "dist"), version })) console.log(file);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof MissingProgram || error instanceof BundleFailed ? error.message : error);
    process.exitCode = 1;
  }
}
