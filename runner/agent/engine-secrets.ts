/** What the engine is given for one phase: variables of its environment, credentials as files, access to private modules. */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { filterEnvironment } from "../../operator/engine/environment.ts";
import type { GitCredentials } from "../../operator/source/git.ts";
import { loginOf } from "../../operator/source/git-settings.ts";
import type { CredentialPhase, ResolvedCredential } from "./inputs.ts";
import { FILES, type PodLayout } from "./layout.ts";

export interface PhaseSecrets {
  readonly env: Readonly<Record<string, string>>;
  /** Names that a credential may not set. */
  readonly dropped: readonly string[];
}

/** Lays out the files of one phase and takes away those of the phase before. */
export async function presentSecrets(
  layout: PodLayout,
  credentials: readonly ResolvedCredential[],
  phase: CredentialPhase,
  gitHosts: readonly string[],
): Promise<PhaseSecrets> {
  const given = credentials.filter(({ order }) => order.phases.includes(phase));
  const folder = layout.credentials;
  await Promise.all([folder, layout.secrets].map((path) => mkdir(path, { recursive: true })));
  for (const { order } of credentials) await rm(join(folder, order.name), { recursive: true, force: true });
  for (const { order, data } of given) {
    if (order.as === "Files") await writeFiles(join(folder, order.name), data);
  }
  const wanted = given.filter(({ order }) => order.as === "Env").flatMap(({ data }) => [...data]);
  const { kept, dropped } = filterEnvironment(
    Object.fromEntries(wanted.map(([name, value]) => [name, value.toString("utf8")])),
  );
  const certificates = await certificateBundle(layout);
  const git = await gitConfig(layout, given, gitHosts, certificates);
  return { env: { ...kept, ...(certificates === undefined ? {} : { SSL_CERT_FILE: certificates }), ...git }, dropped };
}

/** The engine has another user id; nobody but the two containers sees this volume. */
export async function writeShared(path: string, content: string | Uint8Array): Promise<void> {
  await writeFile(path, content);
  await chmod(path, 0o644);
}

async function writeFiles(folder: string, data: ReadonlyMap<string, Buffer>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [key, value] of data) await writeShared(join(folder, key), value);
}

/** Certificates of the Run besides the public ones; git and Go each read one file instead of the system's. */
async function certificateBundle(layout: PodLayout): Promise<string | undefined> {
  const own = await readFile(layout.caBundle, "utf8").catch(() => undefined);
  if (own === undefined) return undefined;
  const common = await readFile(layout.publicCertificates, "utf8").catch(() => "");
  const path = join(layout.secrets, FILES.certificates);
  await writeShared(path, `${common.trimEnd()}\n${own.trimEnd()}\n`);
  return path;
}

/**
 * A header for each host and nothing else: the password is in no address, so git neither prints it nor writes it down
 * beside the module, and other hosts never get it.
 */
async function gitConfig(
  layout: PodLayout,
  given: readonly ResolvedCredential[],
  gitHosts: readonly string[],
  certificates: string | undefined,
): Promise<Record<string, string>> {
  const logins = given.filter(({ order }) => order.as === "Git");
  if (logins.length === 0 && certificates === undefined) return {};
  const lines = certificates === undefined ? [] : ["[http]", `\tsslCAInfo = ${certificates}`];
  for (const { data } of logins) {
    const login = loginOf(gitCredentials(data));
    if (login === undefined) continue;
    const basic = Buffer.from(`${login.username}:${login.password}`).toString("base64");
    const own = data.get("url")?.toString("utf8");
    for (const origin of own === undefined ? gitHosts : originsIn(own)) {
      lines.push(`[http "${origin}/"]`, `\textraHeader = Authorization: Basic ${basic}`);
    }
  }
  const path = join(layout.secrets, FILES.gitConfig);
  await writeShared(path, `${lines.join("\n")}\n`);
  return { GIT_CONFIG_GLOBAL: path };
}

export function gitCredentials(data: ReadonlyMap<string, Buffer>): GitCredentials {
  const text = (key: "username" | "password" | "token") => {
    const value = data.get(key)?.toString("utf8");
    return value === undefined ? {} : { [key]: value };
  };
  return { ...text("username"), ...text("password"), ...text("token") };
}

/** `https://host[:port]` of every address over http in a text: of a module's sources, for example. */
export function originsIn(text: string): string[] {
  const found = text.matchAll(/https?:\/\/(?:[^\s/"@]*@)?([A-Za-z0-9.-]+(?::[0-9]{1,5})?)(?=[/"\s?]|$)/g);
  return [
    ...new Set([...found].map(([address, host]) => `${address.startsWith("https") ? "https" : "http"}://${host}`)),
  ];
}
