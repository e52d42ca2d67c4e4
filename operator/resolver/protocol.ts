import { z } from "zod";
import { gitRef } from "../api/source.ts";
import { GIT_REASONS } from "../source/git.ts";

/**
 * What the operator and the resolver say to each other: `POST /v1/resolve`, ResolveRequest → ResolveAnswer.
 * The status is 200 also where git failed: the question was answered. 400, 401 and 503 carry an `error` as well.
 */
export const RESOLVE_PATH = "/v1/resolve";

/** How long the resolver works on one question, waiting for its turn included. */
export const RESOLVE_DEADLINE_MS = 20_000;

const commitId = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);

export const resolveRequest = z.strictObject({
  url: z.string().min(1).max(1024),
  ref: gitRef.optional(),
  credentials: z
    .strictObject({
      username: z.string().max(4096).optional(),
      password: z.string().max(16_384).optional(),
      token: z.string().max(16_384).optional(),
    })
    .optional(),
  /** Certificates (PEM) that are trusted for this server. */
  caPem: z.string().max(131_072).optional(),
  /** Files and folders whose contents are asked for beside the commit. */
  paths: z.array(z.string().min(1).max(512)).max(2_200).optional(),
  /** The commit whose contents are known already: they are not looked up again. */
  known: commitId.optional(),
});

export const resolveAnswer = z.union([
  z.object({
    revision: commitId,
    /** Ids of git, by path; a path that does not exist is missing. */
    contents: z.record(z.string(), z.string()).optional(),
  }),
  z.object({ error: z.object({ reason: z.enum(GIT_REASONS), message: z.string() }) }),
]);

export type Resolved = Extract<ResolveAnswer, { revision: string }>;
export type ResolveRequest = z.output<typeof resolveRequest>;
export type ResolveAnswer = z.output<typeof resolveAnswer>;
