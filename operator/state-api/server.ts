import { constants } from "node:crypto";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { LABELS } from "../api/names.ts";
import type { TlsMaterial } from "../gateway/authority.ts";
import { endConnectionsOnClose } from "../gateway/closing.ts";
import type { GatewayLog } from "../gateway/context.ts";
import { bodyBytes, reserveFor, roomForBodies, type TakeRoom, tooLarge } from "../gateway/reception.ts";
import { DEFAULT_LIMITS } from "../gateway/server.ts";
import { RESOURCE_LIST } from "./discovery.ts";
import { type FrontProxy, isFrontProxy, type Person, personIn } from "./front-proxy.ts";
import { STATE_ROOT, stateKeyFor } from "./names.ts";
import { type Answer, getContent, getImports, getJournal, getState } from "./reading.ts";
import { mustBeAllowed, type StateApiContext, type StateRequest, type Wanted } from "./requests.ts";
import { type StateObject, stateList } from "./state-object.ts";
import { notFound, StatusError, statusFor } from "./status.ts";
import { asksForTable, tableOf } from "./table.ts";
import { postRestore, postUnlock, putContent } from "./writing.ts";

export interface ServerParts {
  readonly context: StateApiContext;
  readonly log: GatewayLog;
  readonly tls: TlsMaterial;
  /** Asked anew with each request: the cluster may replace its authority. */
  readonly frontProxy: () => FrontProxy;
  /** For one request, from its last byte to its answer; the API server waits for a minute. */
  readonly requestMs?: number;
  /** Of one state. */
  readonly stateBytes?: number;
  /** Where the gateway shares the room for bodies. */
  readonly takeRoom?: TakeRoom;
}

interface Route {
  readonly method: "GET" | "PUT" | "POST";
  readonly verb: string;
  readonly subresource?: string;
  readonly handle: (request: StateRequest) => Promise<Answer>;
}

const ROUTES: readonly Route[] = [
  { method: "GET", verb: "get", handle: getState },
  { method: "GET", verb: "get", subresource: "content", handle: getContent },
  { method: "PUT", verb: "update", subresource: "content", handle: putContent },
  { method: "POST", verb: "create", subresource: "restore", handle: postRestore },
  { method: "GET", verb: "get", subresource: "journal", handle: getJournal },
  { method: "GET", verb: "get", subresource: "imports", handle: getImports },
  { method: "POST", verb: "create", subresource: "unlock", handle: postUnlock },
];

const SMALL_BYTES = 64 * 1024;
const REQUEST_MS = 55_000;
const HANDSHAKE_MS = 15_000;

/** The HTTPS server behind the cluster's own API server, not yet listening. */
export function createStateServer(parts: ServerParts): FastifyInstance {
  const { tls, frontProxy, log } = parts;
  const server = fastify({
    https: {
      key: tls.server.key,
      cert: tls.server.certificate,
      ca: frontProxy().ca,
      requestCert: true,
      // Who has no good certificate is told so, by `mustBeFrontProxy`.
      rejectUnauthorized: false,
      // A session that is resumed would not be looked at again after the authority has changed.
      secureOptions: constants.SSL_OP_NO_TICKET,
      minVersion: "TLSv1.2",
      handshakeTimeout: HANDSHAKE_MS,
      headersTimeout: HANDSHAKE_MS,
    },
    logger: false,
    bodyLimit: SMALL_BYTES,
    connectionTimeout: DEFAULT_LIMITS.stillMs,
    return503OnClosing: true,
    forceCloseConnections: "idle",
  }) as unknown as FastifyInstance;
  endConnectionsOnClose(server);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  server.addHook("onRequest", async (request) => {
    mustBeFrontProxy(request, frontProxy());
    if (request.is404) throw notFound("the server could not find the requested resource");
  });
  server.setErrorHandler((error, request, reply) => refuse(log, error, request, reply));
  server.addHook("onResponse", async (request, reply) => {
    const { method, routeOptions } = request;
    log.info({ method, path: routeOptions.url ?? "", status: reply.statusCode }, "state request");
  });
  server.get(STATE_ROOT, async () => RESOURCE_LIST);
  server.get(`${STATE_ROOT}/states`, (request, reply) => list(parts, request, reply));
  server.get(`${STATE_ROOT}/namespaces/:namespace/states`, (request, reply) => list(parts, request, reply));
  const { stateBytes = DEFAULT_LIMITS.stateBytes, takeRoom = roomForBodies(DEFAULT_LIMITS.inFlightBytes) } = parts;
  for (const route of ROUTES) addRoute(server, { ...parts, stateBytes, takeRoom }, route);
  return server;
}

function addRoute(
  server: FastifyInstance,
  {
    context,
    frontProxy,
    requestMs = REQUEST_MS,
    stateBytes,
    takeRoom,
  }: Required<Pick<ServerParts, "stateBytes" | "takeRoom">> & ServerParts,
  { method, verb, subresource, handle }: Route,
): void {
  const base = `${STATE_ROOT}/namespaces/:namespace/states/:name`;
  const url = subresource === undefined ? base : `${base}/${subresource}`;
  const bodyLimit = method === "PUT" ? stateBytes : SMALL_BYTES;
  const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
    const excess = tooLarge(request, bodyLimit, method === "PUT" ? "state" : "body");
    if (excess !== undefined) throw new StatusError(413, "RequestEntityTooLarge", excess);
    if (!takeRoom(reply, bodyBytes(request, bodyLimit)))
      throw new StatusError(429, "TooManyRequests", "too many bytes are on their way: send this again");
  };
  server.route({
    method,
    url,
    bodyLimit,
    onRequest,
    handler: async (request, reply) => {
      const { namespace = "", name = "" } = request.params as Readonly<Record<string, string>>;
      const signal = AbortSignal.timeout(requestMs);
      const person = personOf(request, frontProxy());
      const part = subresource === undefined ? {} : { subresource };
      await mustBeAllowed(context, person, { verb, namespace, name, ...part }, signal);
      const key = stateKeyFor(namespace, name);
      if (key === undefined) throw notFound(`${name} is not the name of a state: it is ENVIRONMENT.COMPONENT`);
      const query = request.query as StateRequest["query"];
      const reserve = reserveFor(reply, takeRoom);
      return send(
        request,
        reply,
        await handle({ context, person, key, query, body: bodyOf(request), reserve, signal }),
      );
    },
  });
}

/** Without `content` or anything else of value: those who may list may not pull. */
async function list(
  { context, frontProxy, requestMs = REQUEST_MS }: ServerParts,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const { namespace } = request.params as { readonly namespace?: string };
  const { labelSelector, watch } = request.query as StateRequest["query"];
  if (watch === "true" || watch === "1") throw new StatusError(405, "MethodNotAllowed", "states cannot be watched");
  const signal = AbortSignal.timeout(requestMs);
  const where: Wanted = namespace === undefined ? { verb: "list" } : { verb: "list", namespace };
  await mustBeAllowed(context, personOf(request, frontProxy()), where, signal);
  const wanted = environmentIn(labelSelector);
  const records = await context.store.allRecords(namespace, signal);
  const found = stateList(records.filter(({ key }) => wanted === undefined || key.environment === wanted));
  return asksForTable(request.headers.accept) ? reply.send(tableOf(found.items)) : reply.send(found);
}

/** The one selector that is understood; every other one is refused, since ignoring it would show too much. */
function environmentIn(selector: string | undefined): string | undefined {
  if (selector === undefined || selector === "") return undefined;
  const [label, value, ...more] = selector.split("=").filter((part) => part !== "");
  if (label === LABELS.environment && value !== undefined && more.length === 0) return value;
  throw new StatusError(400, "BadRequest", `states can be selected by ${LABELS.environment}=NAME only`);
}

function send(request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  if ("bytes" in answer) return reply.type(answer.type).send(answer.bytes);
  const isState = (answer.json as { readonly kind?: unknown }).kind === "State";
  if (isState && asksForTable(request.headers.accept)) return reply.send(tableOf([answer.json as StateObject]));
  return reply.code(answer.code ?? 200).send(answer.json);
}

function mustBeFrontProxy({ raw }: FastifyRequest, proxy: FrontProxy): void {
  if (isFrontProxy(raw, proxy)) return;
  throw new StatusError(401, "Unauthorized", "states are served through the cluster's API server only");
}

function personOf({ raw }: FastifyRequest, proxy: FrontProxy): Person {
  const person = personIn(raw.headers, raw.rawHeaders, proxy);
  if (person !== undefined) return person;
  throw new StatusError(401, "Unauthorized", "the API server names nobody that it speaks for");
}

function refuse(log: GatewayLog, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, body, unexpected } = statusFor(error);
  if (unexpected) {
    const stack = error instanceof Error ? error.stack : String(error);
    log.error({ method: request.method, path: request.routeOptions.url ?? "", stack }, "state request failed");
  }
  if (code === 503 || code === 429) reply.header("retry-after", "1");
  return reply.code(code).send(body);
}

const bodyOf = ({ body }: FastifyRequest): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));
