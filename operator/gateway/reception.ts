import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

declare module "fastify" {
  interface FastifyRequest {
    /** Ends the connection when the request has not arrived by then; undefined once it is known who speaks. */
    strangerTimer: NodeJS.Timeout | undefined;
  }
}

/**
 * Whoever has not shown a session gets an answer at once or a short time, and none of the room that is kept for bodies: every pod of a cluster can
 * reach the gateway.
 */
export function receiveStrangers(server: FastifyInstance, withinMs: number): void {
  server.decorateRequest("strangerTimer", undefined);
  server.addHook("onRequest", async (request, reply) => {
    const { raw } = request;
    request.strangerTimer = setTimeout(() => raw.complete || raw.destroy(), withinMs);
    raw.once("close", () => clearTimeout(request.strangerTimer));
    // Here, since fastify would read the body before it says that there is no such route.
    if (request.is404) return noSuchRoute(reply);
  });
}

/** It is known who speaks: a large body may take its time. */
export function welcome({ strangerTimer }: FastifyRequest): void {
  clearTimeout(strangerTimer);
}

const noSuchRoute = (reply: FastifyReply): FastifyReply =>
  reply.code(404).send({ error: { code: "NotFound", message: "there is no such route" } });

/** Takes the room that a body needs, until its request is over; false where there is none. */
export type TakeRoom = (request: FastifyRequest, reply: FastifyReply, mostBytes: number) => boolean;

/** Many large states at once must not exhaust the process: whoever comes too early is asked to come again. */
export function roomForBodies(bytes: number): TakeRoom {
  let taken = 0;
  return ({ headers }, reply, mostBytes) => {
    const needed = Math.min(mostBytes, announced(headers));
    if (taken > 0 && taken + needed > bytes) return false;
    taken += needed;
    reply.raw.once("close", () => {
      taken -= needed;
    });
    return true;
  };
}

export function comeAgain(reply: FastifyReply): FastifyReply {
  const error = { code: "StoreUnavailable", message: "too many bytes are on their way: send this again" };
  return reply.code(503).header("retry-after", "1").send({ error });
}

/** A body of unknown length may be as long as its route allows. */
function announced({ "content-length": length, "transfer-encoding": encoding }: FastifyRequest["headers"]): number {
  if (encoding !== undefined) return Number.POSITIVE_INFINITY;
  const bytes = Number(length ?? 0);
  return Number.isFinite(bytes) ? bytes : 0;
}
