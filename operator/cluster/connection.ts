import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { type Cluster, KubeConfig } from "@kubernetes/client-node";
import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent } from "undici";

/** Where the API server is and who we are. */
export interface Connection {
  readonly origin: string;
  /** Path before `/api`, for servers behind a proxy; "" otherwise. */
  readonly pathPrefix: string;
  readonly dispatcher: Dispatcher;
  /** Headers that authenticate; `refresh` after the server refused the last ones (401). */
  headers(refresh: boolean): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

/**
 * A projected token is replaced by the kubelet when 80 % of its life is over, so that reading it once in a while is early enough; other
 * ways to log in (exec plug-ins, OIDC) cache by themselves.
 */
const CREDENTIALS_FRESH_MS = 30_000;

/** HTTP/1.1 on purpose: one HTTP/2 connection that hangs would take every watch and the lease with it. */
const POOL = {
  allowH2: false,
  connections: 128,
  keepAliveTimeout: 30_000,
  connectTimeout: 5_000,
  headersTimeout: 60_000,
  bodyTimeout: 0,
} as const;

/** From $KUBECONFIG, ~/.kube/config or the pod's service account, in this order. */
export function defaultKubeConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}

export interface ConnectOptions {
  /** Go through the proxy of $HTTPS_PROXY where $NO_PROXY does not say otherwise, as kubectl does. Otherwise only through one of the kubeconfig. */
  readonly mindsProxies?: boolean;
}

/** One pool of connections for the process. Throws when the kubeconfig has no current cluster. */
export async function connect(
  config: KubeConfig = defaultKubeConfig(),
  { mindsProxies = false }: ConnectOptions = {},
): Promise<Connection> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error("The kubeconfig has no current context with a cluster: set current-context");
  const server = new URL(cluster.server);
  const dispatcher = createPool(cluster, await httpsOptions(config), mindsProxies);
  return {
    origin: server.origin,
    pathPrefix: server.pathname.replace(/\/$/, ""),
    dispatcher,
    headers: cachedHeaders(config),
    close: () => dispatcher.destroy(),
  };
}

async function httpsOptions(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  return options;
}

function createPool({ server, proxyUrl }: Cluster, options: RequestOptions, mindsProxies: boolean): Dispatcher {
  const tls = {
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
    ...(options.ca === undefined ? {} : { ca: asBuffer(options.ca) }),
    ...(options.cert === undefined ? {} : { cert: asBuffer(options.cert) }),
    ...(options.key === undefined ? {} : { key: asBuffer(options.key) }),
    ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
  };
  if (proxyUrl?.startsWith("http")) return new ProxyAgent({ ...POOL, uri: proxyUrl, requestTls: tls });
  if (proxyUrl)
    throw new Error(`The kubeconfig names the proxy ${proxyUrl}: only http and https proxies are supported`);
  if (mindsProxies && !isThisMachine(server)) return new EnvHttpProxyAgent({ ...POOL, connect: tls, requestTls: tls });
  return new Agent({ ...POOL, connect: tls });
}

/** No proxy leads there, whatever the environment says (https://pkg.go.dev/net/http#ProxyFromEnvironment). */
const isThisMachine = (server: string) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(server).hostname);

/** client-node reads certificates into buffers, and leaves those of an exec plug-in as text. */
function asBuffer(material: unknown): Buffer {
  if (Buffer.isBuffer(material)) return material;
  if (typeof material === "string") return Buffer.from(material);
  throw new TypeError("Certificates of the kubeconfig could not be read");
}

function cachedHeaders(config: KubeConfig): Connection["headers"] {
  let known: { readonly at: number; readonly headers: Promise<Record<string, string>> } | undefined;
  return (refresh) => {
    const now = performance.now();
    if (known === undefined || refresh || now - known.at > CREDENTIALS_FRESH_MS) {
      const headers = readHeaders(config);
      known = { at: now, headers };
      // A login that failed is tried again by the next request.
      headers.catch(() => {
        if (known?.headers === headers) known = undefined;
      });
    }
    return known.headers;
  };
}

async function readHeaders(config: KubeConfig): Promise<Record<string, string>> {
  const tokenFile: unknown = config.getCurrentUser()?.authProvider?.config?.tokenFile;
  if (typeof tokenFile === "string") return { authorization: `Bearer ${(await readFile(tokenFile, "utf8")).trim()}` };
  const options = await httpsOptions(config);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value);
  if (typeof options.auth === "string")
    headers.authorization = `Basic ${Buffer.from(options.auth, "utf8").toString("base64")}`;
  return headers;
}
