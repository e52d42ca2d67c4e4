import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { GitError } from "../source/git.ts";
import type { AddressRules } from "./address-rules.ts";

/** A way out for one question: a proxy on loopback which git has to use. */
export interface Egress {
  readonly proxy: string;
  /** Why a connection was not made, when one was not: truer than what git makes of the proxy's answer. */
  failure(): GitError | undefined;
  close(): void;
}

const CONNECT_TIMEOUT_MS = 8_000;

type Lookup = (host: string) => Promise<readonly string[]>;

const systemLookup: Lookup = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/**
 * Checking a name before git starts would prove nothing: git resolves it again (the answer may differ by then), and follows
 * redirects. So every connection is made here, to the very address that was checked.
 */
export async function openEgress(rules: AddressRules, resolve: Lookup = systemLookup): Promise<Egress> {
  let failure: GitError | undefined;
  const sockets = new Set<Duplex>();
  const closed = new AbortController();
  const keep = <T extends Duplex>(socket: T): T => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    return socket.once("close", () => sockets.delete(socket));
  };
  const reach = async (host: string, port: number): Promise<Socket> => {
    try {
      const open = (address: string): Socket => keep(connect({ host: address, port }));
      return await connectChecked(host, { rules, resolve, open, signal: closed.signal });
    } catch (error) {
      failure ??= error instanceof GitError ? error : unreachable(host, error);
      throw error;
    }
  };
  const server = createServer((from, to) => forward(from, to, reach));
  server.on("connection", keep);
  server.on("connect", (from: IncomingMessage, client: Duplex, head: Buffer) =>
    tunnel(from, keep(client), head, reach),
  );
  return {
    proxy: await listen(server),
    failure: () => failure,
    close() {
      closed.abort(new Error("the question has ended"));
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

type Reach = (host: string, port: number) => Promise<Socket>;

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Connecting {
  readonly rules: AddressRules;
  readonly resolve: Lookup;
  readonly open: (address: string) => Socket;
  /** Aborted when nobody waits for the connection any more. */
  readonly signal: AbortSignal;
}

/** Tries the permitted addresses one after the other. */
async function connectChecked(host: string, { rules, resolve, open, signal }: Connecting): Promise<Socket> {
  const addresses = await resolve(host).catch(() => {
    throw new GitError("GitHostUnknown", `${host}: the name cannot be resolved; check git.url and the cluster's DNS`);
  });
  const permitted = addresses.filter((address) => rules.permits(address));
  if (permitted.length === 0) throw denied(host);
  let last: unknown;
  for (const address of permitted) {
    signal.throwIfAborted();
    const socket = open(address);
    try {
      await once(socket, "connect", { signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]) });
      return socket;
    } catch (error) {
      socket.destroy();
      last = error;
    }
  }
  throw last;
}

/** Does not say which address the name has: that would make the resolver a way to read the cluster's DNS. */
function denied(host: string): GitError {
  return new GitError(
    "GitFailed",
    `${host}: the resolver may not connect to the address of this host; whoever runs Terrarium can permit it with TERRARIUM_RESOLVER_ALLOW_CIDRS`,
  );
}

function unreachable(host: string, error: unknown): GitError {
  const code = (error as NodeJS.ErrnoException).code ?? "no answer";
  return new GitError("GitHostUnknown", `${host}: the server does not answer (${code}); it is tried again by itself`);
}

/** https: bytes pass through untouched, git itself checks the certificate. */
async function tunnel(from: IncomingMessage, client: Duplex, head: Buffer, reach: Reach): Promise<void> {
  try {
    const { hostname, port } = new URL(`http://${from.url}`);
    const remote = await reach(bare(hostname), Number(port === "" ? 80 : port));
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    remote.write(head);
    remote.pipe(client).pipe(remote);
    remote.once("close", () => client.destroy());
    client.once("close", () => remote.destroy());
  } catch {
    client.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
  }
}

/** http: the same request, over a connection that was checked. */
async function forward(from: IncomingMessage, to: ServerResponse, reach: Reach): Promise<void> {
  try {
    const { hostname, port, pathname, search } = new URL(from.url ?? "");
    const socket = await reach(bare(hostname), Number(port === "" ? 80 : port));
    const { "proxy-connection": _, ...headers } = from.headers;
    const onward = request({
      createConnection: () => socket,
      method: from.method,
      path: `${pathname}${search}`,
      headers: { ...headers, connection: "close" },
    });
    onward.on("response", (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    onward.on("error", () => to.destroy());
    from.pipe(onward);
  } catch {
    to.writeHead(502).end();
  }
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");
