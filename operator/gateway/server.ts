import type { AddressInfo } from "node:net";
import { Server as TlsServer } from "node:tls";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { TlsMaterial } from "./authority.ts";
import { claimWork } from "./claiming.ts";
import type { GatewayContext } from "./context.ts";
import { answerFor } from "./errors.ts";
import { claimRequest } from "./protocol.ts";
import { type Answer, parsed, ROUTES, type Route } from "./routes.ts";
import { readSession, type Session } from "./sessions.ts";
import { Unauthenticated } from "./unauthenticated.ts";

export interface GatewayLimits {
  readonly stateBytes: number;
  readonly archiveBytes: number;
  readonly smallBytes: number;
  /** Bodies that are in memory at once, over all requests. */
  readonly inFlightBytes: number;
  /** For one request, from its last byte to its answer. */
  readonly requestMs: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: GatewayLimits = {
  stateBytes: 256 * MIB,
  archiveBytes: 64 * MIB,
  smallBytes: 4 * MIB,
  inFlightBytes: 512 * MIB,
  requestMs: 60_000,
};

export interface ServerOptions {
  readonly tls: TlsMaterial;
  readonly limits: GatewayLimits;
  readonly ready: () => boolean;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Who speaks; known only where the session is genuine. */
    terrariumSession: Session | undefined;
  }
}

const CLAIM_BYTES = 16 * 1024;
/** A body of the largest size may take this long to arrive. */
const RECEIVE_MS = 300_000;

/** The HTTPS server with all routes, not yet listening. */
export function createServer(context: GatewayContext, { tls, limits, ready }: ServerOptions): FastifyInstance {
  const server = fastify({
    https: { key: tls.server.key, cert: tls.server.certificate, minVersion: "TLSv1.2" },
    logger: false,
    bodyLimit: limits.smallBytes,
    requestTimeout: RECEIVE_MS,
    return503OnClosing: true,
    forceCloseConnections: "idle",
  }) as unknown as FastifyInstance;
  // Bodies are taken as they are: states and archives are bytes, and everything else is parsed by its schema.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  server.decorateRequest("terrariumSession", undefined);
  limitBytesInFlight(server, limits.inFlightBytes);
  server.setErrorHandler((error, request, reply) => refuse(context, error, request, reply));
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: { code: "NotFound", message: "there is no such route" } }),
  );
  server.addHook("onResponse", async (request, reply) => {
    const { method, routeOptions } = request;
    const facts = { method, path: routeOptions.url ?? "", status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    context.log.info({ ...facts, ...runOf(request) }, "gateway request");
  });
  server.get("/v1/health", async (_request, reply) => reply.code(ready() ? 200 : 503).send({ ready: ready() }));
  addClaim(server, context, limits);
  for (const route of ROUTES) addRoute(server, context, route, limits);
  return server;
}

function addClaim(server: FastifyInstance, context: GatewayContext, limits: GatewayLimits): void {
  server.post("/v1/claim", { bodyLimit: CLAIM_BYTES }, async (request) => {
    const signal = AbortSignal.timeout(limits.requestMs);
    return claimWork(context, bearerOf(request), parsed(claimRequest, bodyOf(request)), signal);
  });
}

function addRoute(server: FastifyInstance, context: GatewayContext, route: Route, limits: GatewayLimits): void {
  const { method, path, limit, handle } = route;
  const url = path;
  const bodyLimit = limits[`${limit}Bytes`];
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const session = sessionOf(request);
    const signal = AbortSignal.timeout(limits.requestMs);
    const answer = await handle({ context, session, body: bodyOf(request), lockId: lockIdOf(request), signal });
    return send(reply, answer);
  };
  // Before the body: strangers do not get to send a large one.
  const onRequest = async (request: FastifyRequest) => {
    request.terrariumSession = readSession(context.ring, bearerOf(request));
    sessionOf(request);
  };
  server.route({ method, url, bodyLimit, onRequest, handler });
}

function sessionOf({ terrariumSession }: FastifyRequest): Session {
  if (terrariumSession === undefined) throw new Unauthenticated("this session is not one of this gateway");
  return terrariumSession;
}

function runOf({ terrariumSession: session }: FastifyRequest) {
  return session === undefined ? {} : { run: session.run, namespace: session.key.namespace };
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status);
  if ("bytes" in answer) return reply.type(answer.type).send(answer.bytes);
  return "json" in answer ? reply.send(answer.json) : reply.send();
}

function refuse(context: GatewayContext, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, code, message, unexpected } = answerFor(error);
  if (unexpected) {
    const stack = error instanceof Error ? error.stack : String(error);
    const path = request.routeOptions.url ?? "";
    context.log.error({ method: request.method, path, code, stack, ...runOf(request) }, "gateway request failed");
  }
  if (status === 503) reply.header("retry-after", "1");
  return reply.code(status).send({ error: { code, message } });
}

/** Many large states at once must not exhaust the process: whoever comes too early is asked to come again. */
function limitBytesInFlight(server: FastifyInstance, most: number): void {
  let inFlight = 0;
  server.addHook("onRequest", async (request, reply) => {
    const announced = Number(request.headers["content-length"] ?? 0);
    const bytes = Number.isFinite(announced) ? announced : 0;
    if (inFlight > 0 && inFlight + bytes > most) {
      const error = { code: "StoreUnavailable", message: "too many bytes are on their way: send this again" };
      return reply.code(503).header("retry-after", "1").send({ error });
    }
    inFlight += bytes;
    reply.raw.once("close", () => {
      inFlight -= bytes;
    });
  });
}

function bearerOf({ headers }: FastifyRequest): string {
  const [scheme, token, ...more] = (headers.authorization ?? "").split(" ");
  if (scheme !== "Bearer" || !token || more.length > 0) throw new Unauthenticated("Authorization: Bearer … is missing");
  return token;
}

const bodyOf = ({ body }: FastifyRequest): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));

function lockIdOf({ query }: FastifyRequest): string {
  const id = (query as Readonly<Record<string, unknown>>).ID;
  return typeof id === "string" ? id : "";
}

/** Connections that begin from now on see the new certificate. */
export function serveCertificate(server: FastifyInstance, { server: { certificate, key } }: TlsMaterial): void {
  const listener: unknown = server.server;
  if (listener instanceof TlsServer) listener.setSecureContext({ cert: certificate, key, minVersion: "TLSv1.2" });
}

export function addressOf(server: FastifyInstance): AddressInfo {
  const address = server.server.address();
  if (address === null || typeof address === "string") throw new Error("the gateway does not listen on a port");
  return address;
}
