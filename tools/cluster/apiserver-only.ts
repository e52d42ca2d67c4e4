import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { adminConnection, apiRequest } from "./api-request.ts";
import { awaitCondition } from "./await-condition.ts";
import { type BinaryPaths, ensureBinaries, type Progress } from "./binaries.ts";
import { CLUSTER_GROUPS } from "./binary-groups.ts";
import { clusterCertificates, ensureCertificates } from "./certificates.ts";
import { readiness } from "./cluster-status.ts";
import { AUDIT_POLICY, apiServerArguments, controllerManagerArguments, etcdArguments } from "./component-arguments.ts";
import { renderKubeconfig, writePrivateFile } from "./kubeconfig.ts";

export interface ApiServerOptions {
  /** An empty or new folder for all of its files; removed by nobody. Its path has at most 80 characters (sockets). */
  readonly dir: string;
  /** Runs the controller manager, too: namespaces are then emptied, owners collected and ServiceAccounts made. */
  readonly controllers?: boolean;
  /** Flags for kube-apiserver that follow the usual ones and win over them. */
  readonly extraArguments?: readonly string[];
  readonly progress?: Progress;
}

/** A real API server with its etcd, without nodes: objects are stored and admitted, and nothing acts on them. */
export interface ApiServer {
  readonly url: string;
  readonly kubeconfigPath: string;
  readonly adminToken: string;
  readonly caFile: string;
  readonly auditLog: string;
  /** Numbers of the processes, for tests that stop or kill one of them. */
  readonly pids: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

interface Part {
  readonly name: string;
  readonly child: ChildProcess;
  readonly log: string;
}

const ADDRESS = "127.0.0.1";
const SERVICE_RANGE = "10.96.0.0/16";
const SERVICE_ADDRESS = "10.96.0.1";
/** Nobody reaches it through the Service `kubernetes`, which may not lead to the loopback. */
const LONE_SERVER = ["--endpoint-reconciler-type=none"];
const PORT_TRIES = 3;

/** Starts an API server on a free port of the loopback. It needs no root and ends with this process at the latest. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { dir } = options;
  const pkiDir = join(dir, "pki");
  const binaries = await ensureBinaries(CLUSTER_GROUPS, options.progress ?? (() => undefined));
  await mkdir(dir, { recursive: true });
  await ensureCertificates(pkiDir, clusterCertificates("none", [SERVICE_ADDRESS], ADDRESS));
  const adminToken = randomBytes(24).toString("hex");
  await writePrivateFile(join(dir, "tokens.csv"), `${adminToken},admin,admin,system:masters\n`);
  await writeFile(join(dir, "audit-policy.json"), JSON.stringify(AUDIT_POLICY));

  const parts: Part[] = [];
  try {
    const etcdUrl = await startEtcd(dir, binaries, parts);
    const url = await startServer(options, etcdUrl, binaries, parts);
    const kubeconfigPath = join(dir, "kubeconfig");
    await writePrivateFile(kubeconfigPath, await renderKubeconfig("apiserver", url, pkiDir, { certificate: "admin" }));
    if (options.controllers) await startControllers(dir, url, binaries, parts);
    return {
      url,
      kubeconfigPath,
      adminToken,
      caFile: join(pkiDir, "ca.crt"),
      auditLog: join(dir, "audit.log"),
      pids: Object.fromEntries(parts.map(({ name, child }) => [name, child.pid ?? 0])),
      stop: () => stopParts(parts),
    };
  } catch (error) {
    await stopParts(parts);
    throw error;
  }
}

/** Sockets in the folder instead of ports: any number of them run side by side. */
async function startEtcd(dir: string, binaries: BinaryPaths, parts: Part[]): Promise<string> {
  const clientUrl = `unix://${join(dir, "etcd.sock")}`;
  const peerUrl = `unix://${join(dir, "etcd-peer.sock")}`;
  const dataDir = join(dir, "etcd");
  parts.push(await start(dir, binaries, "etcd", etcdArguments({ dataDir, clientUrl, peerUrl })));
  return clientUrl;
}

/** A port that was free may be taken a moment later by somebody else: then another one is tried. */
async function startServer(
  options: ApiServerOptions,
  etcdUrl: string,
  binaries: BinaryPaths,
  parts: Part[],
): Promise<string> {
  const { dir } = options;
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(ADDRESS);
    const url = `https://${ADDRESS}:${port}`;
    const settings = {
      etcdUrl,
      address: ADDRESS,
      port,
      serviceRange: SERVICE_RANGE,
      pkiDir: join(dir, "pki"),
      auditPolicy: join(dir, "audit-policy.json"),
      auditLog: join(dir, "audit.log"),
      tokenFile: join(dir, "tokens.csv"),
    };
    const args = [...apiServerArguments(settings), ...LONE_SERVER, ...(options.extraArguments ?? [])];
    const server = await start(dir, binaries, "kube-apiserver", args);
    parts.push(server);
    try {
      await awaitServer(url, join(dir, "pki"), parts);
      return url;
    } catch (error) {
      const taken = (await readFile(server.log, "utf8")).includes("address already in use");
      if (!taken || attempt === PORT_TRIES) throw error;
      parts.splice(parts.indexOf(server), 1);
    }
  }
}

async function awaitServer(url: string, pkiDir: string, parts: readonly Part[]): Promise<void> {
  const connection = await adminConnection(url, pkiDir);
  const allRunning = async () => {
    for (const part of parts) if (hasEnded(part)) throw new Error(await describeEnd(part));
  };
  await awaitCondition("the API server to be ready", 180, async () => {
    await allRunning();
    return readiness(connection);
  });
  // Its own controllers make the namespace `default` a moment after the server calls itself ready.
  await awaitCondition("the namespace default", 90, async () => {
    await allRunning();
    const answer = await apiRequest(connection, "GET", "/api/v1/namespaces/default");
    return answer.status === 200 || answer.body;
  });
}

async function startControllers(dir: string, url: string, binaries: BinaryPaths, parts: Part[]): Promise<void> {
  const pkiDir = join(dir, "pki");
  const kubeconfig = join(dir, "kube-controller-manager.kubeconfig");
  const credential = { certificate: "kube-controller-manager" };
  await writePrivateFile(kubeconfig, await renderKubeconfig("apiserver", url, pkiDir, credential));
  const args = controllerManagerArguments({
    kubeconfig,
    pkiDir,
    port: 0,
    volumePluginDir: join(dir, "volume-plugins"),
  });
  const manager = await start(dir, binaries, "kube-controller-manager", args);
  parts.push(manager);
  const connection = await adminConnection(url, pkiDir);
  await awaitCondition("the controllers to make the first ServiceAccount", 90, async () => {
    if (hasEnded(manager)) throw new Error(await describeEnd(manager));
    const answer = await apiRequest(connection, "GET", "/api/v1/namespaces/default/serviceaccounts/default");
    return answer.status === 200 || answer.body;
  });
}

/** The kernel ends the program when this process dies, so that a test that crashes leaves nothing behind. */
async function start(dir: string, binaries: BinaryPaths, name: string, args: readonly string[]): Promise<Part> {
  const program = binaries.get(name);
  if (program === undefined) throw new Error(`${name} was not built`);
  const logFile = join(dir, `${name}.log`);
  const log = await open(logFile, "a");
  try {
    const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], { stdio: ["ignore", log.fd, log.fd] });
    child.once("error", () => undefined);
    return { name, child, log: logFile };
  } finally {
    await log.close();
  }
}

function hasEnded({ child }: Part): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function describeEnd(part: Part): Promise<string> {
  const log = (await readFile(part.log, "utf8")).trimEnd().split("\n").slice(-15).join("\n");
  return `${part.name} ended. The end of ${part.log}:\n${log}`;
}

/** Nothing of it is kept, so there is nothing to say goodbye to. */
async function stopParts(parts: readonly Part[]): Promise<void> {
  await Promise.all(
    parts.map(async (part) => {
      if (hasEnded(part)) return;
      const ended = new Promise<void>((resolve) => part.child.once("exit", () => resolve()));
      part.child.kill("SIGKILL");
      await ended;
    }),
  );
}
