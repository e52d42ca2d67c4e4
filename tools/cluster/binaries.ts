import { createHash } from "node:crypto";
import { access, mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { BINARY_GROUPS, type BinaryGroup, type BinaryGroupName, goBuildArguments } from "./binary-groups.ts";
import { command } from "./command.ts";
import { findGo } from "./go-toolchain.ts";
import { withLock } from "./lock.ts";
import { cacheDirectory, lockFile } from "./paths.ts";

/** Told what happens while programs are built: one short sentence at a time. */
export type Progress = (message: string) => void;

/** Program name (`kubectl`, `tofu`, …) → its absolute path. */
export type BinaryPaths = ReadonlyMap<string, string>;

const MODULES_DIR = join(import.meta.dirname, "go");
const BUILD_ENVIRONMENT = { CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false", GOTOOLCHAIN: "local", GOWORK: "off" };

/**
 * Builds the groups that are not in the cache yet, in the given order, and gives the path of every program of them.
 * One build runs at a time on a machine: it uses all cores, and a second process finds what the first one built.
 */
export async function ensureBinaries(groups: readonly BinaryGroupName[], progress: Progress): Promise<BinaryPaths> {
  const paths = new Map<string, string>();
  for (const name of groups) {
    const directory = await groupDirectory(name);
    if (!(await exists(directory))) await buildOnce(name, directory, progress);
    for (const program of Object.keys(BINARY_GROUPS[name].programs)) paths.set(program, join(directory, program));
  }
  return paths;
}

/** The programs of a group when they are built already. */
export async function builtBinaries(name: BinaryGroupName): Promise<BinaryPaths | undefined> {
  return (await exists(await groupDirectory(name))) ? ensureBinaries([name], () => undefined) : undefined;
}

/** A name that changes with the pinned versions and with the way of building, and with nothing else. */
export function cacheKey(name: string, group: BinaryGroup, goMod: string, goSum: string): string {
  const parts = [
    goMod,
    goSum,
    JSON.stringify(group.programs),
    ...goBuildArguments(group),
    JSON.stringify(BUILD_ENVIRONMENT),
  ];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return `${name}-${hash.digest("hex").slice(0, 16)}`;
}

async function groupDirectory(name: BinaryGroupName): Promise<string> {
  const group: BinaryGroup = BINARY_GROUPS[name];
  const module = join(MODULES_DIR, group.module);
  const [goMod, goSum] = await Promise.all([
    readFile(join(module, "go.mod"), "utf8"),
    readFile(join(module, "go.sum"), "utf8"),
  ]);
  return join(cacheDirectory(), "bin", cacheKey(name, group, goMod, goSum));
}

async function buildOnce(name: BinaryGroupName, directory: string, progress: Progress): Promise<void> {
  const lock = lockFile("build");
  const onWait = () => progress(`${name}: waiting for another build on this machine to end`);
  await withLock(lock, onWait, async () => {
    if (!(await exists(directory))) await build(name, directory, progress);
  });
}

async function build(name: BinaryGroupName, directory: string, progress: Progress): Promise<void> {
  const group: BinaryGroup = BINARY_GROUPS[name];
  const module = join(MODULES_DIR, group.module);
  const go = await findGo(await readFile(join(module, "go.mod"), "utf8"), cacheDirectory(), progress);
  const unfinished = `${directory}.building`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });

  let packages = 0;
  const onLine = () => {
    packages += 1;
    progress(`${name}: ${packages} packages compiled`);
  };
  await command(go, [...goBuildArguments(group), "-o", `${unfinished}/`, ...Object.values(group.programs)], {
    cwd: module,
    env: BUILD_ENVIRONMENT,
    onLine,
  });
  for (const [program, path] of Object.entries(group.programs)) {
    const built = builtName(path);
    if (built !== program) await rename(join(unfinished, built), join(unfinished, program));
  }
  await rename(unfinished, directory);
}

/** Go names a program after the last part of its package that is not a major version. */
function builtName(path: string): string {
  return basename(path.replace(/\/v\d+$/, ""));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
