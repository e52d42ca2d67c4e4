import type { GitAccess, GitCredentials } from "./git-access.ts";
import { GitError } from "./git-error.ts";

/** A fixed search path: what runs must not depend on the environment that the operator happens to be started in. */
const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Prints what the variables hold. The text is constant, and git hands it to `sh` as it is: values go through the
 * environment alone, so they are in no argument list and no shell ever parses them.
 */
const CREDENTIAL_HELPER =
  '!printf "username=%s\\npassword=%s\\n" "$TERRARIUM_GIT_USERNAME" "$TERRARIUM_GIT_PASSWORD" && :';

/** Bytes per second, and for how many seconds it may be less. */
const LOW_SPEED = { limit: "100", seconds: "20" };

type Setting = readonly [key: string, value: string];

const HARDENING: readonly Setting[] = [
  ["protocol.allow", "never"],
  ["protocol.https.allow", "always"],
  ["protocol.http.allow", "always"],
  ["protocol.version", "2"],
  ["http.followRedirects", "initial"],
  ["http.lowSpeedLimit", LOW_SPEED.limit],
  ["http.lowSpeedTime", LOW_SPEED.seconds],
  ["http.sslVerify", "true"],
  ["transfer.fsckObjects", "true"],
  // Blemishes that old repositories are full of, and that harm nobody.
  ["fetch.fsck.zeroPaddedFilemode", "ignore"],
  ["fetch.fsck.missingEmail", "ignore"],
  ["fetch.fsck.badTimezone", "ignore"],
  ["fetch.recurseSubmodules", "false"],
  ["submodule.recurse", "false"],
  // Packs stay packs, so that the size of the download is the size of one folder.
  ["fetch.unpackLimit", "1"],
  // Address space has a limit: threads and windows onto packs take it, and not by what the node or the repository has.
  ["pack.threads", "2"],
  ["core.packedGitWindowSize", "32m"],
  ["core.packedGitLimit", "128m"],
  ["core.hooksPath", "/dev/null"],
  ["core.attributesFile", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.symlinks", "true"],
  ["core.autocrlf", "false"],
  ["core.askPass", ""],
  ["credential.helper", ""],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["advice.detachedHead", "false"],
];

/** The whole environment of a git process: nothing is inherited. */
export function gitEnvironment(access: GitAccess): Record<string, string> {
  const settings = [...HARDENING, ...accessSettings(access)];
  const pairs = settings.flatMap(([key, value], index): Setting[] => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  const login = loginOf(access.credentials);
  return {
    PATH: SEARCH_PATH,
    // No home: curl would read .netrc from it.
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_LFS_SKIP_SMUDGE: "1",
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(pairs),
    ...(login === undefined ? {} : { TERRARIUM_GIT_USERNAME: login.username, TERRARIUM_GIT_PASSWORD: login.password }),
  };
}

function accessSettings({ url, credentials, caFile, proxy }: GitAccess): readonly Setting[] {
  const settings: Setting[] = [];
  // For this origin alone: a redirect to another host must not carry the credentials along.
  if (loginOf(credentials) !== undefined) {
    settings.push([`credential.${new URL(url).origin}.helper`, CREDENTIAL_HELPER]);
  }
  if (caFile !== undefined) settings.push(["http.sslCAInfo", caFile]);
  if (proxy !== undefined) settings.push(["http.proxy", proxy]);
  return settings;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Files made with an editor end in a line break, which no server expects. */
const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, "");

/** A token needs some user: GitHub wants this one for apps, the other forges take any. */
export function loginOf(credentials: GitCredentials | undefined): Login | undefined {
  const password = withoutLineEnd(credentials?.token ?? credentials?.password ?? "");
  const username = withoutLineEnd(credentials?.username ?? "");
  if (password === "" && username === "") return undefined;
  // git speaks with its helper in lines: another line would be another field.
  if (/[\r\n\0]/.test(username + password)) {
    throw new GitError(
      "GitUnauthorized",
      "the user or password of the git source holds a line break inside; store it in the Secret as a single line",
    );
  }
  return { username: username === "" ? "x-access-token" : username, password };
}

/** What must never be printed. */
export function secretsOf(credentials: GitCredentials | undefined): readonly string[] {
  const login = loginOf(credentials);
  if (login === undefined) return [];
  return [login.password, `${login.username}:${login.password}`].filter((secret) => secret !== "");
}
