/** The root file system that all images stand on, made from Debian packages and the Node of package-lock.json. */
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../cluster/command.ts";
import { type ImageCache, keyOf } from "./cache.ts";

const suite = "bookworm";
const mirror = "http://deb.debian.org/debian";
const packages = ["ca-certificates", "git", "openssh-client"];

/** Nobody reads manuals in a container, and apt can fetch its lists again. */
const dropped = [
  "usr/share/doc",
  "usr/share/info",
  "usr/share/locale",
  "usr/share/man",
  "usr/share/gitweb",
  "usr/share/bash-completion",
  "var/cache/apt",
  "var/cache/debconf",
  "var/lib/apt/lists",
  "var/log",
];

export interface Base {
  readonly key: string;
  readonly rootfs: string;
}

/** The folder of the root file system; made once and kept. `node` is the binary that goes into it. */
export async function ensureBase(
  cache: ImageCache,
  node: { readonly path: string; readonly version: string },
  progress: (text: string) => void,
): Promise<Base> {
  const key = keyOf([suite, mirror, ...packages, ...dropped, node.version]);
  const rootfs = join(cache.base, key);
  if (existsSync(rootfs)) return { key, rootfs };
  const unfinished = `${rootfs}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  progress("base: Debian packages (about a minute, only this once)");
  const include = `--include=${packages.join(",")}`;
  await command("debootstrap", ["--variant=minbase", include, suite, unfinished, mirror], {
    onLine: (line) => progress(`base: ${line.replace(/^I: /, "").slice(0, 80)}`),
  });
  await trim(unfinished);
  await copyFile(node.path, join(unfinished, "usr/local/bin/node"));
  await rename(unfinished, rootfs);
  return { key, rootfs };
}

async function trim(rootfs: string): Promise<void> {
  for (const folder of dropped) {
    await rm(join(rootfs, folder), { recursive: true, force: true });
    await mkdir(join(rootfs, folder), { recursive: true });
  }
  // A container gets its own devices; those of the build would only make the layer hard to unpack.
  for (const device of await readdir(join(rootfs, "dev"))) {
    await rm(join(rootfs, "dev", device), { recursive: true, force: true });
  }
}
