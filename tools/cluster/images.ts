import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, succeeds } from "./command.ts";
import { PAUSE_IMAGE } from "./component-configs.ts";
import { requireRoot } from "./machine.ts";
import { findSupervisor, inNamespaces } from "./namespaces.ts";
import { writeOciArchive } from "./oci-archive.ts";
import { type Cluster, type ClusterPaths, clusterPaths } from "./paths.ts";
import type { ProcessIdentity } from "./processes.ts";

/** What pods call an image that was loaded. */
export interface LoadedImage {
  /** `localhost/terrarium-runner:1` */
  readonly name: string;
  /** `localhost/terrarium-runner@sha256:…`: these bytes and no others. */
  readonly digestReference: string;
}

/**
 * Puts an image into the container runtime of a cluster: the path of an OCI (or Docker) archive, or the name of an image
 * that buildah made. Pods use it with `imagePullPolicy: IfNotPresent` or `Never`.
 */
export async function loadImage(image: string, clusterName?: string): Promise<LoadedImage[]> {
  const paths = clusterPaths(clusterName);
  requireRoot();
  const supervisor = await findSupervisor(paths);
  if (supervisor === undefined) {
    throw new Error(
      `The cluster ${paths.name} is not running. Start it with: npm run cluster -- up --name ${paths.name}`,
    );
  }
  if (await isFile(image)) return importArchive(paths, supervisor, image);
  return withTemporaryFolder(async (folder) => {
    const archive = join(folder, "image.tar");
    await exportFromBuildah(image, archive);
    return importArchive(paths, supervisor, archive);
  });
}

/** The sandbox of every pod: a process that does nothing, since there is no registry to get the usual one from. */
export async function loadPauseImage(cluster: Cluster, supervisor: ProcessIdentity): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const archive = join(folder, "pause.tar");
    const content = await readFile("/bin/busybox");
    await writeOciArchive(
      archive,
      PAUSE_IMAGE,
      [{ path: "busybox", content }],
      ["/busybox", "tail", "-f", "/dev/null"],
    );
    await importArchive(cluster.paths, supervisor, archive);
  });
}

async function importArchive(
  paths: ClusterPaths,
  supervisor: ProcessIdentity,
  archive: string,
): Promise<LoadedImage[]> {
  const ctr = (...args: string[]) =>
    inNamespaces(supervisor, "ctr", ["--address", paths.containerdSocket, "--namespace", "k8s.io", "images", ...args]);
  const output = await ctr("import", archive);
  const names = importedNames(output);
  if (names.length === 0) throw new Error(`${archive} holds no image with a name:\n${output}`);

  const digests = parseImages(await ctr("list"));
  const loaded: LoadedImage[] = [];
  for (const imported of names) {
    const digest = digests.get(imported);
    if (digest === undefined) throw new Error(`${imported} was imported and is not there`);
    const name = fullName(imported);
    const digestReference = `${withoutTag(name)}@${digest}`;
    for (const wanted of [name, digestReference]) {
      if (digests.get(wanted) !== digest) await ctr("tag", "--force", imported, wanted);
    }
    loaded.push({ name, digestReference });
  }
  return loaded;
}

/** The archive carries the whole name of the image, however shortly it was asked for. */
async function exportFromBuildah(image: string, archive: string): Promise<void> {
  const env = { STORAGE_DRIVER: process.env.STORAGE_DRIVER ?? "overlay" };
  if (!(await succeeds("buildah", ["inspect", "--type", "image", image], { env }))) {
    throw new Error(`${image} is neither a file nor the name of an image that buildah has (see: buildah images).`);
  }
  const listing = await command("buildah", ["images", "--json", image], { env });
  const found: { names?: string[] }[] = JSON.parse(listing);
  const names = found.flatMap((entry) => entry.names ?? []);
  const name = names.find((candidate) => candidate === image || candidate.endsWith(`/${image}`)) ?? names[0];
  if (name === undefined) throw new Error(`${image} has no name. Give it one with: buildah tag`);
  await command("buildah", ["push", "--quiet", image, `oci-archive:${archive}:${name}`], { env });
}

/** `ctr images list` → name → digest. */
export function parseImages(listing: string): ReadonlyMap<string, string> {
  const images = new Map<string, string>();
  for (const line of listing.split("\n").slice(1)) {
    const [name, , digest] = line.split(/\s+/);
    if (name && digest) images.set(name, digest);
  }
  return images;
}

/** `unpacking localhost/a:1 (sha256:…)...done` → `localhost/a:1` */
export function importedNames(output: string): string[] {
  return [...new Set([...output.matchAll(/^unpacking (\S+) \(sha256:/gm)].flatMap((match) => match[1] ?? []))];
}

/** The name that the kubelet means by a short one: `busy:1` → `docker.io/library/busy:1` */
export function fullName(name: string): string {
  const [first = "", ...rest] = name.split("/");
  if (rest.length === 0) return `docker.io/library/${name}`;
  const isHost = first === "localhost" || /[.:]/.test(first);
  return isHost ? name : `docker.io/${name}`;
}

/** `host:5000/a/b:tag` → `host:5000/a/b` */
export function withoutTag(name: string): string {
  return name.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
}

async function withTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "terrarium-image-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isFile(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
