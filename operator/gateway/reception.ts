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

/** Takes room for what is read or sent, until the request is over; false where there is none. */
export type TakeRoom = (reply: FastifyReply, bytes: number) => boolean;

/**
 * Many large states at once must not exhaust the process: whoever comes too early is asked to come again. One that is larger than all of the room
 * goes where others take little of it.
 */
export function roomForBodies(bytes: number): TakeRoom {
  let taken = 0;
  return (reply, needed) => {
    // Whoever has gone gives nothing back any more.
    if (reply.raw.closed) return false;
    if (taken > bytes / 8 && taken + needed > bytes) return false;
    taken += needed;
    reply.raw.once("close", () => {
      taken -= needed;
    });
    return true;
  };
}

/** There is no room for what would be sent. */
export class NoRoom extends Error {
  override readonly name = "NoRoom";
  constructor() {
    super(COME_AGAIN);
  }
}

/** Whoever is about to read something large says so before. Throws `NoRoom`. */
export type Reserve = (bytes: number) => void;

export function reserveFor(reply: FastifyReply, takeRoom: TakeRoom): Reserve {
  return (bytes) => {
    if (!takeRoom(reply, bytes)) throw new NoRoom();
  };
}

/** What is said of a body that is larger than its route takes, where its length is told. */
export function tooLarge({ headers }: FastifyRequest, mostBytes: number, what: "state" | "body"): string | undefined {
  const bytes = announced(headers);
  if (!Number.isFinite(bytes) || bytes <= mostBytes) return undefined;
  const sizes = `the ${what} has ${mib(bytes)}, and at most ${mib(mostBytes)} are taken`;
  return what === "state" ? `${sizes}: ${RAISE_THE_LIMIT}` : sizes;
}

const RAISE_THE_LIMIT =
  "raise states.maxMiB in the values of the chart, and the operator's memory with it. Whoever has this state keeps it until then";

const mib = (bytes: number) => `${Math.ceil((bytes / 1024 / 1024) * 10) / 10} MiB`;

const COME_AGAIN = "too many bytes are on their way: send this again";

export function comeAgain(reply: FastifyReply): FastifyReply {
  const error = { code: "StoreUnavailable", message: COME_AGAIN };
  return reply.code(503).header("retry-after", "1").send({ error });
}

/** Of a body that may have as many. */
export const bodyBytes = ({ headers }: FastifyRequest, most: number): number => Math.min(most, announced(headers));

/** A body of unknown length may be as long as its route allows. */
function announced({ "content-length": length, "transfer-encoding": encoding }: FastifyRequest["headers"]): number {
  if (encoding !== undefined) return Number.POSITIVE_INFINITY;
  const bytes = Number(length ?? 0);
  return Number.isFinite(bytes) ? bytes : 0;
}
