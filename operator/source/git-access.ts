import type { GitRef } from "../api/source.ts";

/** What a Secret of a git source holds; a token alone is enough. */
export interface GitCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
}

export interface GitAccess {
  /** https:// or http://, without user information. */
  readonly url: string;
  /** Absent: the branch `main`. */
  readonly ref?: GitRef | undefined;
  readonly credentials?: GitCredentials | undefined;
  /** File with PEM certificates which are trusted for this server. */
  readonly caFile?: string | undefined;
  /** `http://host:port` through which every connection goes. */
  readonly proxy?: string | undefined;
  readonly signal: AbortSignal;
  /** For the whole call. */
  readonly timeoutMs: number;
  /** Address space that each process of git may have, in bytes; 896 MiB unless told. */
  readonly maxMemoryBytes?: number | undefined;
}

export interface FetchRequest extends GitAccess {
  /** Commit to check out. Absent: what `ref` names now. */
  readonly revision?: string | undefined;
  /** Where the files go: it is made, and must be empty. No `.git` is left in it. */
  readonly directory: string;
  /** Folder for the temporary repository; the system's own unless told. */
  readonly scratch?: string | undefined;
  /** Largest download and largest checkout, in bytes each; 512 MiB unless told. */
  readonly maxBytes?: number | undefined;
}
