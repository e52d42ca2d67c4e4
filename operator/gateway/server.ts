import type { AddressInfo } from "node:net";
import { Server as TlsServer } from "node:tls";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { TlsMaterial } from "./authority.ts";
import { claimWork } from "./claiming.ts";
import { endConnectionsOnClose } from "./closing.ts";
import type { GatewayContext } from "./context.ts";
import { answerFor } from "./errors.ts";
import { runReference } from "./plan-text.ts";
import { AGENT_WAITS_MS, claimRequest, GATEWAY_ERRORS } from "./protocol.ts";
import {
  bodyBytes,
  comeAgain,
  receiveStrangers,
  reserveFor,
  roomForBodies,
  type TakeRoom,
  tooLarge,
  welcome,
} from "./reception.ts";
import { type Answer, parsed, ROUTES, type Route } from "./routes.ts";
import { readSession, type Session } from "./sessions.ts";
import { Unauthenticated } from "./unauthenticated.ts";

export interface GatewayLimits {
  readonly stateBytes: number;
  /** How long a connection may stand still: one that nobody reads from any more holds the room of its answer. */
  readonly stillMs: number;
  /** Of a plan that is held, with the files that it needs. */
  readonly bundleBytes: number;
  readonly archiveBytes: number;
  readonly smallBytes: number;
  /** Of the text of a plan. */
  readonly textBytes: number;
  /** Bodies that are in memory at once, over all requests. */
  readonly inFlightBytes: number;
  /** For one request, from its last byte to its answer. */
  readonly requestMs: number;
  /** For a report of progress: an older one must not be written behind a newer one. */
  readonly progressMs: number;
  /** For whoever has not shown a session: to shake hands, to send headers, and to send the body of a claim. */
  readonly strangerMs: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: GatewayLimits = {
  stateBytes: 64 * MIB,
  stillMs: 120_000,
  bundleBytes: 256 * MIB,
  archiveBytes: 64 * MIB,
  smallBytes: 4 * MIB,
  textBytes: MIB / 4,
  inFlightBytes: 128 * MIB,
  requestMs: 60_000,
  progressMs: AGENT_WAITS_MS - 5_000,
  strangerMs: 15_000,
};

export interface ServerOptions {
  readonly tls: TlsMaterial;
  readonly limits: GatewayLimits;
  readonly ready: () => boolean;
  /** Where others share the room for bodies; default: all of it is the gateway's. */
  readonly takeRoom?: TakeRoom | undefined;
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
/** How often Node looks for requests that are late. */
const TIMEOUTS_LOOK_MS = 5_000;

/** The HTTPS server with all routes, not yet listening. */
export function createServer(context: GatewayContext, options: ServerOptions): FastifyInstance {
  const { tls, limits, ready, takeRoom = roomForBodies(limits.inFlightBytes) } = options;
  const server = fastify({
    https: {
      key: tls.server.key,
      cert: tls.server.certificate,
      minVersion: "TLSv1.2",
      handshakeTimeout: limits.strangerMs,
      headersTimeout: limits.strangerMs,
      connectionsCheckingInterval: Math.min(limits.strangerMs, TIMEOUTS_LOOK_MS),
    },
    logger: false,
    bodyLimit: limits.smallBytes,
    requestTimeout: RECEIVE_MS,
    connectionTimeout: limits.stillMs,
    return503OnClosing: true,
    forceCloseConnections: "idle",
  }) as unknown as FastifyInstance;
  // Bodies are taken as they are: states and archives are bytes, and everything else is parsed by its schema.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  server.decorateRequest("terrariumSession", undefined);
  endConnectionsOnClose(server);
  receiveStrangers(server, limits.strangerMs);
  server.setErrorHandler((error, request, reply) => refuse(context, error, request, reply));
  server.addHook("onResponse", async (request, reply) => {
    const { method, routeOptions } = request;
    const facts = { method, path: routeOptions.url ?? "", status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    context.log.info({ ...facts, ...runOf(request) }, "gateway request");
    context.onAnswered({ route: facts.path, code: facts.status, durationMs: reply.elapsedTime });
  });
  server.get("/v1/health", async (_request, reply) => reply.code(ready() ? 200 : 503).send({ ready: ready() }));
  addClaim(server, context, limits);
  for (const route of ROUTES) addRoute(server, { context, route, limits, takeRoom });
  return server;
}

function addClaim(server: FastifyInstance, context: GatewayContext, limits: GatewayLimits): void {
  // Its token is reviewed with the body at hand. That is small, so it takes none of the room of the others.
  const onRequest = async (request: FastifyRequest) => void bearerOf(request);
  server.post("/v1/claim", { bodyLimit: CLAIM_BYTES, onRequest }, async (request) => {
    const signal = AbortSignal.timeout(limits.requestMs);
    return claimWork(context, bearerOf(request), parsed(claimRequest, bodyOf(request)), signal);
  });
}

interface RouteParts {
  readonly context: GatewayContext;
  readonly route: Route;
  readonly limits: GatewayLimits;
  readonly takeRoom: TakeRoom;
}

function addRoute(server: FastifyInstance, { context, route, limits, takeRoom }: RouteParts): void {
  const { method, path: url, limit, within = "requestMs", handle } = route;
  const bodyLimit = limits[`${limit}Bytes`];
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const session = sessionOf(request);
    const signal = AbortSignal.timeout(limits[within]);
    const reserve = reserveFor(reply, takeRoom);
    const facts = { context, session, body: bodyOf(request), lockId: lockIdOf(request), reserve, signal };
    const answer = await handle(facts);
    return send(reply, answer);
  };
  // Before the body: strangers do not get to send a large one.
  const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
    request.terrariumSession = readSession(context.ring, bearerOf(request));
    sessionOf(request);
    welcome(request);
    const excess = tooLarge(request, bodyLimit, limit === "state" ? "state" : "body");
    if (excess !== undefined) return refuseTooLarge(context, excess, request, reply);
    if (!takeRoom(reply, bodyBytes(request, bodyLimit))) return comeAgain(reply);
  };
  server.route({ method, url, bodyLimit, onRequest, handler });
}

/** Here, since fastify would close the connection on whoever still sends, and the answer with it: the rest of the body is read and forgotten. */
function refuseTooLarge(context: GatewayContext, message: string, request: FastifyRequest, reply: FastifyReply) {
  context.tell(runReference(sessionOf(request)), "TooLarge", message);
  return reply.code(GATEWAY_ERRORS.TooLarge.status).send({ error: { code: "TooLarge", message } });
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
