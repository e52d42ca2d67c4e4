import type { Reason } from "../api/conditions.ts";

/** The reasons of `conditions.ts` that speak of git. */
export const GIT_REASONS = [
  "GitHostUnknown",
  "GitRefNotFound",
  "GitUnauthorized",
  "GitRepositoryNotFound",
  "GitFailed",
] as const satisfies readonly Reason[];

export type GitReason = (typeof GIT_REASONS)[number];

/** Why a repository could not be read. The message is for people and holds no credentials. */
export class GitError extends Error {
  readonly reason: GitReason;
  constructor(reason: GitReason, message: string) {
    super(message);
    this.name = "GitError";
    this.reason = reason;
  }
}

/** Longest quotation of git in a message. */
const QUOTE_LENGTH = 300;

interface Pattern {
  readonly matches: RegExp;
  readonly reason: GitReason;
  /** What it means and what to do about it; follows the address of the repository. */
  readonly advice: string;
}

/** What git and libcurl print in the C locale. The first match decides. */
const PATTERNS: readonly Pattern[] = [
  {
    matches: /out of memory|cannot allocate memory|cannot be mapped/i,
    reason: "GitFailed",
    advice:
      "git needs more memory than it is given for what the server sends; keep large files out of the repository, and its branches and tags few",
  },
  {
    matches: /could not resolve (host|proxy)/i,
    reason: "GitHostUnknown",
    advice: "the host's name cannot be resolved; check the url and the cluster's DNS",
  },
  {
    matches: /SSL certificate|certificate verif|server certificate|gnutls_handshake|SSL_ERROR|TLS (alert|connect)/i,
    reason: "GitFailed",
    advice:
      "the server's certificate is not trusted; give the authority that signed it as ca.crt in the source's Secret",
  },
  {
    matches:
      /failed to connect|couldn't connect|connection (refused|timed out|reset)|too slow|empty reply|no route to host|network is unreachable|returned error: (502|503|504)/i,
    reason: "GitHostUnknown",
    advice: "the server does not answer; it is tried again by itself",
  },
  {
    matches: /could not read (username|password)|terminal prompts disabled/i,
    reason: "GitUnauthorized",
    advice:
      "the server asks for a user and password; name a Secret with `username` and `password` (or `token`) in git.secretRef",
  },
  {
    matches: /authentication failed|access denied|returned error: (401|403)/i,
    reason: "GitUnauthorized",
    advice: "the server refuses the credentials; check the Secret in git.secretRef",
  },
  {
    matches: /repository .*not found|returned error: (404|410)|is this a git repository|does not appear to be a git/i,
    reason: "GitRepositoryNotFound",
    advice: "there is no such repository, or these credentials may not see it; check the url and the Secret",
  },
  {
    matches: /couldn't find remote ref|not our ref/i,
    reason: "GitRefNotFound",
    advice: "the repository has no such branch, tag or commit",
  },
];

/** Turns what git printed on stderr into an error for a person; `secrets` are blotted out of the quotation. */
export function gitErrorFrom(stderr: string, url: string, secrets: readonly string[] = []): GitError {
  const said = quotation(scrub(stderr, secrets));
  // A repository may well be called `ssl-certificates`: addresses do not take part in the decision.
  const telling = said.replace(/https?:\/\/[^\s']*/gi, "URL");
  const pattern = PATTERNS.find(({ matches }) => matches.test(telling));
  const advice = pattern?.advice ?? "git failed";
  return new GitError(
    pattern?.reason ?? "GitFailed",
    `${scrub(url, secrets)}: ${advice}${said === "" ? "" : ` (git: ${said})`}`,
  );
}

/** Removes the user part of addresses, and every spelling of the given secrets. */
export function scrub(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(/(https?:\/\/)[^\s/@']*@/gi, "$1");
  for (const secret of secrets.filter((value) => value.length > 0)) {
    for (const spelling of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
      clean = clean.replaceAll(spelling, "***");
    }
  }
  return clean;
}

/**
 * The lines that name the failure, without control characters, on one line. Where the quotation is cut, the end of git's
 * sentence is lost, which is the less telling part.
 */
function quotation(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.replace(/[^\x20-\x7e\u00a0-\uffff]/g, "").trim())
    .filter((line) => line !== "" && !/^(hint:|Cloning|remote: (Enumerating|Counting|Compressing|Total))/.test(line));
  const telling = lines.filter((line) => /^(fatal|error|remote):/.test(line));
  const text = (telling.length > 0 ? telling : lines).map((line) => line.replace(/^(fatal|error): /, "")).join("; ");
  return text.length > QUOTE_LENGTH ? `${text.slice(0, QUOTE_LENGTH - 1)}…` : text;
}
