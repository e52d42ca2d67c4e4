import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HealthCheck {
  readonly name: string;
  /** What is wrong, in a few words; undefined when all is well. */
  trouble(): string | undefined;
}

export interface HealthParts {
  readonly host: string;
  /** 0: any free port. */
  readonly healthPort: number;
  readonly metricsPort: number;
  /** What only a new process can cure. That the probe is answered at all shows that the event loop turns. */
  readonly alive: readonly HealthCheck[];
  /** What must hold before anybody sends requests here: gateway listening, caches filled. */
  readonly ready: readonly HealthCheck[];
  /** The page of the metrics. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface HealthServers {
  readonly healthPort: number;
  readonly metricsPort: number;
  close(): Promise<void>;
}

/** Serves /healthz and /readyz on one port and /metrics on another, which a NetworkPolicy can tell apart. */
export async function startHealthServers(parts: HealthParts): Promise<HealthServers> {
  const health = createServer((request, response) => {
    const path = pathOf(request);
    if (path === "/healthz") report(response, parts.alive);
    else if (path === "/readyz") report(response, parts.ready);
    else notFound(response, "/healthz and /readyz");
  });
  const metrics = createServer((request, response) => {
    if (pathOf(request) === "/metrics") void servePage(response, parts.metrics);
    else notFound(response, "/metrics");
  });
  const healthPort = await listen(health, parts.host, parts.healthPort);
  try {
    const metricsPort = await listen(metrics, parts.host, parts.metricsPort);
    return { healthPort, metricsPort, close: async () => void (await Promise.all([close(health), close(metrics)])) };
  } catch (error) {
    await close(health);
    throw error;
  }
}

const pathOf = (request: IncomingMessage): string => (request.url ?? "/").replace(/\?.*$/s, "");

/** One line for each check, as in Kubernetes' own components. */
function report(response: ServerResponse, checks: readonly HealthCheck[]): void {
  const results = checks.map(({ name, trouble }) => ({ name, trouble: trouble() }));
  const lines = results.map((result) =>
    result.trouble === undefined ? `[+] ${result.name} ok` : `[-] ${result.name}: ${result.trouble}`,
  );
  const healthy = results.every((result) => result.trouble === undefined);
  response.writeHead(healthy ? 200 : 503, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${[...lines, healthy ? "ok" : "not ok"].join("\n")}\n`);
}

async function servePage(response: ServerResponse, page: HealthParts["metrics"]): Promise<void> {
  try {
    const { contentType, body } = await page();
    response.writeHead(200, { "content-type": contentType }).end(body);
  } catch (error) {
    response.writeHead(500, { "content-type": "text/plain" }).end(`the metrics cannot be read: ${String(error)}\n`);
  }
}

function notFound(response: ServerResponse, offered: string): void {
  response.writeHead(404, { "content-type": "text/plain" }).end(`not here; this port has ${offered}\n`);
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
