import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ContentsRequest, type GitAccess, GitError, type PathContents, type Revision } from "../source/git.ts";
import type { AddressRules } from "./address-rules.ts";
import { openEgress } from "./egress.ts";
import { RESOLVE_DEADLINE_MS, type ResolveAnswer, type Resolved, type ResolveRequest } from "./protocol.ts";
import { hostOf, TooBusy, type Turns } from "./turns.ts";

/**
 * Enough for 200,000 branches on a server of git's first protocol, and for files of 55 MiB on one that cannot leave them
 * out. As many processes as one host may have at a time fit into the memory that the chart gives the pod.
 */
const GIT_MEMORY = 160 * 1024 * 1024;

export interface AnswererParts {
  readonly rules: AddressRules;
  readonly turns: Turns;
  readonly resolveRef: (access: GitAccess) => Promise<Revision>;
  readonly contentsOf: (request: ContentsRequest) => Promise<PathContents>;
  /** Folder for certificates that belong to one question. */
  readonly scratch: string;
  readonly deadlineMs?: number;
  /** Hears of failures that are nobody's but ours. */
  readonly onBug: (error: unknown) => void;
}

/** Answers questions; the same question, asked again while it is being answered, is answered once. Never rejects. */
export type Answerer = (request: ResolveRequest) => Promise<ResolveAnswer>;

export function createAnswerer(parts: AnswererParts): Answerer {
  const underWay = new Map<string, Promise<ResolveAnswer>>();
  return (request) => {
    const key = questionKey(request);
    const found = underWay.get(key);
    if (found !== undefined) return found;
    const answer = answerOnce(request, parts).finally(() => underWay.delete(key));
    underWay.set(key, answer);
    return answer;
  };
}

/** Credentials are part of the question: who may not read a repository must not get another one's answer. */
function questionKey({ url, ref, credentials, caPem, paths, known }: ResolveRequest): string {
  const facts = [url, ref?.branch, ref?.tag, ref?.commit, paths, known];
  const secrets = [credentials?.username, credentials?.password, credentials?.token, caPem];
  const text = JSON.stringify([...facts, ...secrets].map((part) => part ?? null));
  return createHash("sha256").update(text).digest("base64");
}

async function answerOnce(request: ResolveRequest, parts: AnswererParts): Promise<ResolveAnswer> {
  const signal = AbortSignal.timeout(parts.deadlineMs ?? RESOLVE_DEADLINE_MS);
  try {
    return await parts.turns.take(hostOf(request.url), signal, () => lookUp(request, parts, signal));
  } catch (error) {
    return { error: describe(error, signal, parts) };
  }
}

async function lookUp(request: ResolveRequest, parts: AnswererParts, signal: AbortSignal): Promise<Resolved> {
  const folder = await mkdtemp(join(parts.scratch, "question-"));
  try {
    return await lookUpIn(folder, request, parts, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function lookUpIn(
  folder: string,
  request: ResolveRequest,
  parts: AnswererParts,
  signal: AbortSignal,
): Promise<Resolved> {
  const egress = await openEgress(parts.rules);
  try {
    const { url, ref, credentials, caPem, paths, known } = request;
    const caFile = caPem === undefined ? undefined : join(folder, "ca.crt");
    if (caFile !== undefined) await writeFile(caFile, caPem ?? "", { mode: 0o600 });
    const timeoutMs = parts.deadlineMs ?? RESOLVE_DEADLINE_MS;
    const limits = { signal, timeoutMs, maxMemoryBytes: GIT_MEMORY };
    const access = { url, ref, credentials, caFile, proxy: egress.proxy, ...limits };
    const { revision } = await parts.resolveRef(access);
    if (paths === undefined || revision === known) return { revision };
    return { revision, contents: await parts.contentsOf({ ...access, revision, paths, scratch: folder }) };
  } catch (error) {
    throw egress.failure() ?? error;
  } finally {
    egress.close();
  }
}

type Failure = Extract<ResolveAnswer, { error: unknown }>["error"];

function describe(error: unknown, signal: AbortSignal, parts: AnswererParts): Failure {
  if (error instanceof GitError) return { reason: error.reason, message: error.message };
  if (error instanceof TooBusy) return { reason: "GitFailed", message: error.message };
  if (signal.aborted) {
    return {
      reason: "GitHostUnknown",
      message: "the git server did not answer in time; it is tried again by itself",
    };
  }
  parts.onBug(error);
  return { reason: "GitFailed", message: "the resolver failed; see its log" };
}
