import { type Dispatcher, request } from "undici";
import { GitError } from "../source/git.ts";
import { RESOLVE_DEADLINE_MS, RESOLVE_PATH, type Resolved, type ResolveRequest, resolveAnswer } from "./protocol.ts";

export interface ResolverClientOptions {
  /** Address of the resolver's Service, without a path. */
  readonly url: string;
  /** Asked before each call, so that a rotated token is used. */
  readonly token?: () => Promise<string | undefined>;
  /** Longer than the resolver's own deadline, unless told. */
  readonly timeoutMs?: number;
  readonly dispatcher?: Dispatcher;
}

export interface ResolverClient {
  /** Throws GitError, also where the resolver itself cannot be used; or the signal's reason. */
  resolve(question: ResolveRequest, signal: AbortSignal): Promise<Resolved>;
}

export function createResolverClient(options: ResolverClientOptions): ResolverClient {
  const url = new URL(RESOLVE_PATH, options.url);
  const timeoutMs = options.timeoutMs ?? RESOLVE_DEADLINE_MS + 5_000;
  return {
    async resolve(question, signal) {
      const body = await ask(url, question, options, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])).catch(
        (error: unknown) => {
          signal.throwIfAborted();
          throw unavailable(error);
        },
      );
      const answer = resolveAnswer.safeParse(body);
      if (!answer.success)
        throw new GitError(
          "GitFailed",
          "the resolver's answer is not what was expected: its version must be the operator's",
        );
      if ("error" in answer.data) throw new GitError(answer.data.error.reason, answer.data.error.message);
      return answer.data;
    },
  };
}

async function ask(
  url: URL,
  question: ResolveRequest,
  options: ResolverClientOptions,
  signal: AbortSignal,
): Promise<unknown> {
  const token = await options.token?.();
  const response = await request(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(question),
    signal,
    ...(options.dispatcher === undefined ? {} : { dispatcher: options.dispatcher }),
  });
  return await response.body.json();
}

function unavailable(error: unknown): GitError {
  const code = (error as NodeJS.ErrnoException).code ?? (error as Error).name;
  return new GitError(
    "GitFailed",
    `the resolver does not answer (${code}): look at the Deployment terrarium-resolver; it is tried again by itself`,
  );
}
