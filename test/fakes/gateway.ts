/** A gateway in memory that keeps the protocol's promises about locks and states, and can be away. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import type {
  GatewayErrorCode,
  JournalEntry,
  LockInfo,
  PlanRequest,
  ProgressReport,
  ResultReport,
  Verdict,
  WorkOrder,
} from "../../operator/gateway/protocol.ts";
import {
  GATEWAY_ERRORS,
  journalBatch,
  planRequest,
  progressReport,
  resultReport,
} from "../../operator/gateway/protocol.ts";

export interface GatewayMemory {
  order: WorkOrder;
  state: Buffer | undefined;
  lock: LockInfo | undefined;
  archive: Buffer | undefined;
  recovery: Buffer | undefined;
  /** A plan that waits. */
  bundle: Buffer | undefined;
  result: ResultReport | undefined;
  readonly plans: PlanRequest[];
  planText: string | undefined;
  readonly journal: JournalEntry[];
  readonly progress: ProgressReport[];
  /** Every request that was answered, as `POST /v1/plan`. */
  readonly requests: string[];
  verdict: Verdict;
  /** Answers a request with an error of the protocol instead of doing it. */
  refuse: (request: string) => GatewayErrorCode | undefined;
  /** Connections are cut, as if nobody were there. */
  away: boolean;
}

export interface FakeGateway {
  readonly url: string;
  readonly memory: GatewayMemory;
  /** Resolves as soon as the condition holds; it is looked at after every request. */
  until(condition: (memory: GatewayMemory) => boolean, what: string): Promise<void>;
  close(): Promise<void>;
}

export function aWorkOrder(change: Partial<WorkOrder> = {}): WorkOrder {
  return {
    session: "session-of-the-fake-gateway",
    run: { namespace: "team", name: "shop-network-1", uid: "run-uid", number: 1 },
    environment: { name: "shop", uid: "environment-uid" },
    component: "network",
    operation: "Apply",
    phase: "Plan",
    source: { inline: { "main.tf": "" } },
    path: ".",
    variables: [],
    credentials: [],
    timeouts: { planMs: 60_000, applyMs: 120_000 },
    overrideBackend: false,
    stateExists: false,
    digestKey: Buffer.from("a key of thirty-two bytes length").toString("base64"),
    ...change,
  };
}

export async function startGateway(order: WorkOrder): Promise<FakeGateway> {
  const memory: GatewayMemory = {
    order,
    state: undefined,
    lock: undefined,
    archive: undefined,
    recovery: undefined,
    bundle: undefined,
    result: undefined,
    plans: [],
    planText: undefined,
    journal: [],
    progress: [],
    requests: [],
    verdict: { verdict: "Apply", reason: "NoApprovalNeeded", message: "nobody has to be asked" },
    refuse: () => undefined,
    away: false,
  };
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    if (memory.away) return void request.socket.destroy();
    void answer(memory, request, response).finally(() => {
      for (const look of waiting) look();
    });
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket.once("close", () => sockets.delete(socket))));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    memory,
    until: (condition, what) => waitFor(waiting, () => condition(memory), what),
    close: () => closed(server, sockets),
  };
}

function waitFor(waiting: Set<() => void>, holds: () => boolean, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (end: () => void) => {
      clearTimeout(limit);
      waiting.delete(look);
      end();
    };
    const look = () => {
      if (holds()) done(resolve);
    };
    const limit = setTimeout(() => done(() => reject(new Error(`the gateway waited in vain for: ${what}`))), 30_000);
    waiting.add(look);
    look();
  });
}

async function answer(memory: GatewayMemory, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://gateway");
  const name = `${request.method} ${url.pathname}`;
  const body = await buffer(request);
  const refused = memory.refuse(name) ?? (isKnown(memory, name, request) ? undefined : "Unauthenticated");
  const [status, content] =
    refused === undefined ? act(memory, name, url.searchParams.get("ID") ?? "", body) : refusal(refused);
  memory.requests.push(name);
  response.writeHead(status, { "content-type": "application/json" }).end(content);
}

function isKnown({ order }: GatewayMemory, name: string, request: IncomingMessage): boolean {
  const expected = name === "POST /v1/claim" ? "a token" : order.session;
  return request.headers.authorization === `Bearer ${expected}`;
}

type Answer = readonly [number, (string | Buffer)?];

function refusal(code: GatewayErrorCode): Answer {
  return [GATEWAY_ERRORS[code].status, JSON.stringify({ error: { code, message: GATEWAY_ERRORS[code].meaning } })];
}

function act(memory: GatewayMemory, name: string, id: string, body: Buffer): Answer {
  const json = (): unknown => JSON.parse(body.toString("utf8"));
  switch (name) {
    case "POST /v1/claim":
      return [200, JSON.stringify(memory.order)];
    case "GET /v1/state":
      return memory.state === undefined ? [204] : [200, memory.state];
    case "POST /v1/state":
      return store(memory, id, body);
    case "PUT /v1/state/lock":
      return lock(memory, json() as LockInfo);
    case "DELETE /v1/state/lock":
      if (memory.lock !== undefined && memory.lock.ID !== id) return refusal("LockMismatch");
      memory.lock = undefined;
      return [204];
    case "GET /v1/archive":
      return memory.archive === undefined ? refusal("NotFound") : [200, memory.archive];
    case "PUT /v1/archive":
      memory.archive = body;
      return [204];
    case "POST /v1/plan":
      memory.plans.push(planRequest.parse(json()));
      return [200, JSON.stringify(memory.verdict)];
    case "PUT /v1/plan/bundle":
      memory.bundle = body;
      return [204];
    case "GET /v1/plan/bundle":
      return memory.bundle === undefined ? refusal("NotFound") : [200, memory.bundle];
    case "PUT /v1/plan/text":
      memory.planText = body.toString("utf8");
      return [204];
    case "POST /v1/journal": {
      const { from, entries } = journalBatch.parse(json());
      memory.journal.splice(from, entries.length, ...entries);
      return [204];
    }
    case "POST /v1/progress":
      memory.progress.push(progressReport.parse(json()));
      return [204];
    case "PUT /v1/recovery":
      memory.recovery = body;
      return [204];
    case "POST /v1/result":
      memory.result = resultReport.parse(json());
      return [204];
    default:
      return refusal("NotFound");
  }
}

function lock(memory: GatewayMemory, info: LockInfo): Answer {
  if (memory.lock !== undefined && memory.lock.ID !== info.ID) return [423, JSON.stringify(memory.lock)];
  memory.lock = info;
  return [200];
}

function store(memory: GatewayMemory, lockId: string, body: Buffer): Answer {
  if (memory.lock?.ID !== lockId) return refusal("LockMismatch");
  const incoming = JSON.parse(body.toString("utf8")) as { serial: number; lineage: string };
  const head = memory.state === undefined ? undefined : JSON.parse(memory.state.toString("utf8"));
  if (head !== undefined && head.lineage !== incoming.lineage) return refusal("LineageDiffers");
  if (head !== undefined && incoming.serial <= head.serial && !memory.state?.equals(body))
    return refusal("SerialWentBack");
  memory.state = body;
  return [204];
}

function closed(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
