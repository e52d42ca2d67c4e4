/** Brings the whole source into the volume that the engine reads, so that modules beside the root module are there, too. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GitSource } from "../../operator/api/source.ts";
import { moduleFileKind } from "../../operator/engine/names.ts";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import type { ArchivedInputs } from "./archive.ts";
import { failed, waiting } from "./ending.ts";
import { gitCredentials, originsIn } from "./engine-secrets.ts";
import type { GatewayClient } from "./gateway-client.ts";
import type { PodLayout } from "./layout.ts";
import { describeMissing, type MountedObjects } from "./mounted.ts";
import type { Scrubber } from "./scrub.ts";
import { emptyFolder, isFolder, isInside } from "./tree.ts";

type ConfigMapFiles = ReadonlyMap<string, Buffer>;

export interface FetchedSource {
  /** Folder with the whole source. */
  readonly root: string;
  readonly revision?: string;
  readonly archived?: ArchivedInputs;
  /** What the ConfigMap holds now that the module is declared to come from, also where the module itself came with a plan that waited. */
  readonly files?: ConfigMapFiles;
  readonly sourceCredentials?: { readonly username: string; readonly password: string };
  /** Hosts to which the credentials for private modules may go. */
  readonly gitHosts: readonly string[];
}

export interface SourceTools {
  readonly layout: PodLayout;
  readonly mounted: MountedObjects;
  readonly gateway: GatewayClient;
  readonly scrubber: Scrubber;
  readonly signal: AbortSignal;
}

const gitTimeoutMs = 5 * 60_000;

/** Throws Ended with the reason where the source cannot be used. */
export async function fetchSource(
  order: Pick<WorkOrder, "source" | "sourceConfigMap" | "revision" | "timeouts" | "credentials">,
  tools: SourceTools,
): Promise<FetchedSource> {
  const root = join(tools.layout.in, "source");
  await mkdir(root, { recursive: true });
  await emptyFolder(root);
  const fetched = await fetchInto(root, order, tools);
  const wantsHosts = order.credentials.some(({ as }) => as === "Git");
  return { root, ...fetched, gitHosts: wantsHosts ? await hostsOf(root, order) : [] };
}

async function fetchInto(
  root: string,
  { source, sourceConfigMap, revision, timeouts }: Omit<Parameters<typeof fetchSource>[0], "credentials">,
  tools: SourceTools,
): Promise<Omit<FetchedSource, "root" | "gitHosts">> {
  const { gateway, mounted, signal } = tools;
  if ("archive" in source) {
    const { unpackArchive } = await import("./archive.ts");
    const archived = await unpackArchive(await gateway.getArchive(signal), root);
    const files = sourceConfigMap === undefined ? {} : { files: await mounted.readAll("ConfigMap", sourceConfigMap) };
    return { archived, ...files, ...(archived.revision === undefined ? {} : { revision: archived.revision }) };
  }
  if (source.git !== undefined) {
    return fetchFromGit(root, source.git, revision, Math.min(gitTimeoutMs, timeouts.planMs), tools);
  }
  if (source.inline !== undefined) {
    await writeFiles(root, new Map(Object.entries(source.inline)));
    return {};
  }
  const files = await configMapFiles(source.configMap?.name ?? "", mounted);
  await writeFiles(root, files);
  return sourceConfigMap === undefined ? {} : { files };
}

async function writeFiles(root: string, files: ReadonlyMap<string, string | Buffer>): Promise<void> {
  for (const [name, text] of files) {
    // Names are keys of Kubernetes data: no slash, and not one of the two folders.
    if (!/^[-._a-zA-Z0-9]+$/.test(name) || name === "." || name === "..") {
      throw failed("SourceInvalid", `${JSON.stringify(name)} cannot be the name of a file`, { retry: "Never" });
    }
    await writeFile(join(root, name), text);
  }
}

async function configMapFiles(name: string, mounted: MountedObjects): Promise<ConfigMapFiles> {
  const files = await mounted.readAll("ConfigMap", name);
  if (files.size === 0)
    throw waiting("InputMissing", describeMissing([await mounted.missing("ConfigMap", name, "source")]));
  return files;
}

async function fetchFromGit(
  root: string,
  git: GitSource,
  revision: string | undefined,
  timeoutMs: number,
  tools: SourceTools,
): Promise<Omit<FetchedSource, "root" | "gitHosts">> {
  const { mounted, layout, scrubber, signal } = tools;
  const [{ fetchGit, GitError }, { loginOf, secretsOf }] = await Promise.all([
    import("../../operator/source/git.ts"),
    import("../../operator/source/git-settings.ts"),
  ]);
  const secret = git.secretRef?.name;
  const data = secret === undefined ? new Map<string, Buffer>() : await mounted.readAll("Secret", secret);
  if (secret !== undefined && data.size === 0) {
    throw waiting("InputMissing", describeMissing([await mounted.missing("Secret", secret, "git source")]));
  }
  const credentials = gitCredentials(data);
  try {
    const login = loginOf(credentials);
    scrubber.add(...secretsOf(credentials));
    const ownCa =
      secret !== undefined && data.has("ca.crt") ? join(mounted.folder("Secret", secret), "ca.crt") : undefined;
    const runCa = (await readFile(layout.caBundle).catch(() => undefined)) === undefined ? undefined : layout.caBundle;
    const request = { url: git.url, ref: git.ref, revision, directory: root, scratch: layout.spool };
    const caFile = ownCa ?? runCa;
    const fetched = await fetchGit({ ...request, credentials, caFile, signal, timeoutMs });
    // Who borrows the login has no certificates of ours: a server that needs them would never answer.
    const isLent = login !== undefined && caFile === undefined;
    return { revision: fetched.revision, ...(isLent ? { sourceCredentials: login } : {}) };
  } catch (error) {
    if (error instanceof GitError) throw failed(error.reason, scrubber.text(error.message));
    throw error;
  }
}

/** The folder of the root module, which must be inside and hold something that the engine reads. */
export async function moduleFolder(root: string, path: string, engine: "opentofu" | "terraform"): Promise<string> {
  const shown = JSON.stringify(path);
  const folder = join(root, path);
  if (path.startsWith("/") || path.split("/").includes("..") || path.includes("\0")) {
    throw failed("PathMissing", `the path ${shown} leads out of the source`, { retry: "Never" });
  }
  if (!(await isInside(root, folder).catch(() => false)) || !(await isFolder(folder))) {
    throw failed("PathMissing", `the source has no folder ${shown}: check the component's terraform.path`);
  }
  const names = await readdir(folder);
  if (!names.some((name) => moduleFileKind(name, engine) !== undefined)) {
    throw failed("PathMissing", `the folder ${shown} of the source holds no module: there is no .tf file in it`);
  }
  return folder;
}

/** The source's own host, and every host that a module of it names. */
async function hostsOf(root: string, { source }: Pick<WorkOrder, "source">): Promise<string[]> {
  const hosts = new Set("git" in source && source.git !== undefined ? originsIn(source.git.url) : []);
  const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && /\.(tf|tofu)(\.json)?$/.test(entry.name),
  );
  for (const entry of files.slice(0, 2000)) {
    const text = await readFile(join(entry.parentPath, entry.name), "utf8");
    for (const [, address = ""] of text.matchAll(/\bsource"?\s*[=:]\s*"(?:git::)?(https?:\/\/[^"]+)"/g)) {
      for (const origin of originsIn(address)) hosts.add(origin);
    }
  }
  return [...hosts];
}
