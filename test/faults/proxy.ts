import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import type { ApiServer } from "../../tools/cluster/apiserver-only.ts";
import { type Lie, lieDetector } from "./lies.ts";

/** What becomes of one request on its way to the API server. */
export type Fate =
  | { readonly type: "goes" }
  /** The sender dies before it arrives, or after it was carried out. */
  | { readonly type: "killedBefore" }
  | { readonly type: "killedAfter" }
  /** Carried out, and the connection breaks before the answer. */
  | { readonly type: "lost" }
  /** Not carried out, and answered so. */
  | { readonly type: "refused"; readonly status: number; readonly reason: string; readonly retryAfterS?: number };

/** Of the way as a whole: nothing passes, and each request is refused so, or its connection breaks. */
export type Weather = "fair" | "breaking" | Extract<Fate, { readonly type: "refused" }>;

export interface Seen {
  /** Writes of this line are numbered from 1; 0 for what only reads. */
  readonly write: number;
  readonly method: string;
  readonly path: string;
}

/** What a watch says, and how it may be told otherwise. */
export interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly resourceVersion: string };
  };
}

export interface WatchLine {
  say(event: WatchEvent): void;
  end(): void;
}

export interface LineOptions {
  /** Lists and watches of all namespaces see this one: so several operators share one API server. */
  readonly namespace: string;
  readonly fateOf: (seen: Seen) => Fate;
  /** Told of every request, whatever it is. */
  readonly seeRequest?: (seen: Seen) => void;
  /** What a request waits for before it goes on. */
  readonly holdRequest?: (seen: Seen) => Promise<void>;
  /** Asked for every request, whatever it is: what falls on all of them alike. */
  readonly weather?: () => Weather;
  /** Whom the API server takes the process for; its administrator unless told. */
  readonly as?: string;
  /** Called once for each watch: what it returns is handed every event, and says what it likes. Absent: the truth. */
  readonly watching?: (plural: string, line: WatchLine) => (event: WatchEvent) => void;
  /** Told of each event that is said otherwise than it came, once it was said. */
  readonly seeLie?: (lie: Lie) => void;
  /** The process at this end is to be killed. */
  readonly onKill: () => void;
}

/** One process's way to the API server: plain HTTP at this end, the administrator's HTTPS at the other. */
export interface Line {
  readonly url: string;
  /** Every write, with what became of it: enough to tell the same again. */
  readonly log: readonly string[];
  /** Requests that the weather stopped. */
  turnedAway(): number;
  /** All connections that are open now break, watches too. */
  shake(): void;
  /** From now on nothing passes. */
  cut(): void;
  close(): Promise<void>;
}

/** Leases and events are not decisions: they pass. */
const COUNTS = /\/(environments|runs|pods|secrets|approvals|configmaps|tokenreviews|subjectaccessreviews)(\/|\?|$)/;
const WRITES = new Set(["POST", "PUT", "PATCH", "DELETE"]);
const EVERYWHERE = /^(\/apis\/terrarium\.dev\/v1alpha1|\/api\/v1)\/(environments|runs|pods|approvals)(?=\?|$)/;

export async function openLine(api: ApiServer, options: LineOptions): Promise<Line> {
  const agent = agentFor(api);
  const log: string[] = [];
  let isCut = false;
  let writes = 0;
  let turnedAway = 0;

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await bodyOf(incoming);
    const { method = "GET" } = incoming;
    const path = (incoming.url ?? "").replace(EVERYWHERE, `$1/namespaces/${options.namespace}/$2`);
    const isWrite = WRITES.has(method) && COUNTS.test(path);
    if (isCut) return void outgoing.destroy();
    if (isWrite) writes += 1;
    const seen = { write: isWrite ? writes : 0, method, path };
    options.seeRequest?.(seen);
    if (options.holdRequest !== undefined) await options.holdRequest(seen);
    const fate = isWrite ? options.fateOf(seen) : ({ type: "goes" } as const);
    const weather = options.weather?.() ?? "fair";
    if (isWrite)
      log.push(`${seen.write} ${method} ${path.split("?")[0]}: ${weather === "fair" ? fate.type : "stopped"}`);
    if (weather !== "fair") {
      turnedAway += 1;
      return weather === "breaking" ? void outgoing.destroy() : refuse(outgoing, weather);
    }
    if (fate.type === "killedBefore") return die(outgoing);
    if (fate.type === "refused") return refuse(outgoing, fate);
    const answer = await forwarded(path, incoming, body);
    if (fate.type === "killedAfter" || fate.type === "lost") answer.resume();
    if (fate.type === "killedAfter") return die(outgoing);
    if (fate.type === "lost" || isCut) return void outgoing.destroy();
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    // A watch that has nothing to say yet has begun all the same.
    outgoing.flushHeaders();
    const plural = /[?&]watch=true/.test(path) ? (/\/([a-z]+)\?/.exec(path)?.[1] ?? "") : undefined;
    if (plural === undefined || options.watching === undefined || answer.statusCode !== 200) answer.pipe(outgoing);
    else retell(answer, outgoing, (line) => options.watching?.(plural, line) ?? line.say, options.seeLie);
    answer.once("error", () => outgoing.destroy());
    outgoing.once("close", () => answer.destroy());
  };
  const die = (outgoing: ServerResponse): void => {
    isCut = true;
    outgoing.destroy();
    server.closeAllConnections();
    options.onKill();
  };
  const forwarded = (path: string, incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { host: _host, connection: _connection, ...headers } = incoming.headers;
      const { method } = incoming;
      const whom = options.as === undefined ? {} : { "impersonate-user": options.as };
      const all = { ...headers, ...whom, authorization: `Bearer ${api.adminToken}` };
      const way = request(new URL(path, api.url), { method, agent, headers: all }, resolve);
      way.once("error", reject).end(body);
    });

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    isCut = true;
    server.closeAllConnections();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    turnedAway: () => turnedAway,
    shake: () => server.closeAllConnections(),
    cut,
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const agents = new Map<string, Agent>();

/** One for all lines to the same server: shaking hands costs both ends more than what is said. It ends with the server. */
function agentFor({ url, caFile }: ApiServer): Agent {
  const agent = agents.get(url) ?? new Agent({ keepAlive: true, ca: readFileSync(caFile) });
  agents.set(url, agent);
  return agent;
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function refuse(outgoing: ServerResponse, { status, reason, retryAfterS }: Extract<Fate, { type: "refused" }>): void {
  const message = "injected";
  const body = JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code: status, reason, message });
  const patience = retryAfterS === undefined ? {} : { "retry-after": String(retryAfterS) };
  outgoing.writeHead(status, { "content-type": "application/json", ...patience }).end(body);
}

/** A watch, event by event. */
function retell(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  begin: (line: WatchLine) => (event: WatchEvent) => void,
  seeLie: (lie: Lie) => void = () => {},
): void {
  const detector = lieDetector(seeLie);
  const line: WatchLine = {
    say(event) {
      if (!outgoing.writable) return;
      detector.say(event);
      outgoing.write(`${JSON.stringify(event)}\n`);
    },
    end: () => void outgoing.end(),
  };
  const hear = begin(line);
  let rest = "";
  answer.setEncoding("utf8");
  answer.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const one of lines.filter((text) => text !== "")) {
      const event = JSON.parse(one) as WatchEvent;
      detector.hear(event);
      hear(event);
    }
  });
  answer.once("end", line.end);
  outgoing.once("close", detector.close);
}
