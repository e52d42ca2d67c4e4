/** buildah with a storage of its own. Layers are kept between builds, working containers are not. */
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { command } from "../cluster/command.ts";
import type { ImageCache } from "./cache.ts";
import { packLayout } from "./oci-layout.ts";

export interface Build {
  readonly name: string;
  readonly context: string;
  readonly dockerfile: string;
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
  /** Stage or image → folder, or `container-image://NAME` for an image of the storage. */
  readonly contexts: Readonly<Record<string, string>>;
}

export class Buildah {
  readonly #storage: readonly string[];

  constructor(cache: Pick<ImageCache, "storage" | "runroot">) {
    this.#storage = ["--root", cache.storage, "--runroot", cache.runroot, "--storage-driver", "overlay"];
  }

  async build(build: Build): Promise<void> {
    const pairs = (flag: string, values: Readonly<Record<string, string>>) =>
      Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
    // The fixed time makes the digest depend on the contents alone.
    const fixed = ["bud", "--isolation", "chroot", "--layers", "--timestamp", "0", "--pull-never", "--format", "oci"];
    await this.#run([
      ...fixed,
      ...pairs("--build-context", build.contexts),
      ...pairs("--build-arg", build.args ?? {}),
      ...(build.target === undefined ? [] : ["--target", build.target]),
      ...["--tag", build.name, "--file", build.dockerfile, build.context],
    ]);
  }

  async has(name: string): Promise<boolean> {
    const names = await this.#run(["images", "--format", "{{.Name}}:{{.Tag}}"]);
    return names.split("\n").includes(name);
  }

  /** Writes an oci-archive; resolves with the manifest's digest. The file appears when it is complete. */
  async save(name: string, archive: string): Promise<string> {
    const unfinished = `${archive}.unfinished`;
    const folder = `${archive}.folder`;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await this.#run(["push", "--quiet", "--disable-compression", name, `dir:${folder}`]);
    const digest = await packLayout(folder, name, unfinished);
    await rm(folder, { recursive: true });
    await rename(unfinished, archive);
    return digest;
  }

  /** Pushes an archive of `save` to a registry (credentials as in `buildah login`); resolves with the digest there. */
  async pushArchive(archive: string, destination: string): Promise<string> {
    const image = (await this.#run(["pull", "--quiet", `oci-archive:${archive}`])).trim();
    const digestFile = `${archive}.pushed-${process.pid}`;
    const plain = /^(localhost|127\.0\.0\.1)[:/]/.test(destination) ? ["--tls-verify=false"] : [];
    await this.#run(["push", ...plain, "--digestfile", digestFile, image, `docker://${destination}`]);
    const digest = (await readFile(digestFile, "utf8")).trim();
    await rm(digestFile);
    return digest;
  }

  /** Removes images without a name, which nothing stands on. */
  async prune(): Promise<void> {
    await this.#run(["rmi", "--prune", "--force"]);
  }

  #run(args: readonly string[]): Promise<string> {
    return command("buildah", [...this.#storage, ...args]);
  }
}
