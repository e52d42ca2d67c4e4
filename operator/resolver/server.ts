import { createHash, timingSafeEqual } from "node:crypto";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { z } from "zod";
import type { Logger } from "../telemetry/logger.ts";
import type { Answerer } from "./answer.ts";
import { RESOLVE_PATH, type ResolveAnswer, resolveRequest } from "./protocol.ts";

const BODY_LIMIT = 256 * 1024;

export interface ResolverServerParts {
  readonly answer: Answerer;
  readonly logger: Logger;
  /** The token that callers must send; undefined: everybody who reaches the port may ask. */
  readonly token: () => Promise<string | undefined>;
  /** Hears how each question ended: `Resolved` or the reason. */
  readonly onAnswered?: (outcome: string, durationMs: number) => void;
}

/** One route, beside a sign of life. Bodies hold credentials: nothing of them is ever logged. */
export function createResolverServer(parts: ResolverServerParts): FastifyInstance {
  const { answer, logger, token } = parts;
  const server = fastify({ bodyLimit: BODY_LIMIT, logger: false, forceCloseConnections: "idle" });

  server.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    // The message of a parser may quote the body.
    if (status < 500) return refuse(reply, status, "the body is not a question as the resolver's protocol has it");
    logger.error("a question failed", { error: error instanceof Error ? error.name : "unknown" });
    return refuse(reply, 500, "the resolver failed; see its log");
  });

  server.get("/healthz", async () => "ok\n");

  server.post(RESOLVE_PATH, async (request, reply): Promise<ResolveAnswer | FastifyReply> => {
    const expected = await token();
    if (expected !== undefined && !isBearer(request.headers.authorization, expected)) {
      return refuse(
        reply,
        401,
        "the resolver's token is missing or wrong: operator and resolver must share one Secret",
      );
    }
    const question = resolveRequest.safeParse(request.body);
    if (!question.success) {
      const fields = [...new Set(question.error.issues.map((issue) => issue.path.join(".")))].join(", ");
      return refuse(reply, 400, `not a question as the resolver's protocol has it: ${fields || "body"}`);
    }
    const started = performance.now();
    const result = await answer(question.data);
    const outcome = "error" in result ? result.error.reason : "Resolved";
    const durationMs = Math.round(performance.now() - started);
    parts.onAnswered?.(outcome, durationMs);
    logger.debug("answered", { host: hostOf(question.data.url), outcome, durationMs });
    return result;
  });
  return server;
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ error: { reason: "GitFailed", message } } satisfies ResolveAnswer);
}

/** Digests have one length, so that the time tells nothing. */
function isBearer(header: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}

/** Paths name customers and projects; the host is enough to find out what is slow. */
function hostOf(url: string): string {
  return z.url().safeParse(url).success ? new URL(url).host : "not an address";
}
