import { Server as TlsServer } from "node:tls";
import type { FastifyInstance } from "fastify";
import type { Reader, Writer } from "../cluster/ports.ts";
import type { TlsMaterial } from "../gateway/authority.ts";
import { type CertificatePorts, currentMaterial } from "../gateway/certificates.ts";
import type { GatewayLog } from "../gateway/context.ts";
import { addressOf } from "../gateway/server.ts";
import type { Clock } from "../loop/clock.ts";
import { type FrontProxy, readFrontProxy } from "./front-proxy.ts";
import { registerAuthority } from "./registration.ts";
import type { StateApiContext } from "./requests.ts";
import { createStateServer, type ServerParts } from "./server.ts";

export interface StateApiPorts
  extends Pick<StateApiContext, "store" | "tell">,
    Pick<ServerParts, "stateBytes" | "takeRoom"> {
  /** Its writer must not ask for the lease: every replica serves. */
  readonly client: StateApiContext["client"] &
    CertificatePorts["client"] &
    Pick<Reader, "find"> &
    Pick<Writer, "mergePatch">;
  readonly clock: Clock;
  readonly log: GatewayLog;
  readonly namespace: string;
  /** Names under which the API server reaches this process: those of its Service. */
  readonly hosts: readonly string[];
  readonly listen: { readonly host: string; readonly port: number };
}

export interface StateApi {
  /** Undefined while it does not serve. */
  port(): number | undefined;
  close(): Promise<void>;
}

const LOOK_AGAIN_MS = 10 * 60_000;
const TRY_AGAIN_MS = 30_000;

/** What may change while it serves. */
interface Trust {
  readonly tls: TlsMaterial;
  readonly frontProxy: FrontProxy;
}

/**
 * Serves states to people, behind the cluster's API server. What it needs for that is looked for again and again: the operator works without
 * it. Resolves after the first look.
 */
export async function startStateApi(ports: StateApiPorts): Promise<StateApi> {
  const { clock, log, listen, stateBytes, takeRoom } = ports;
  const bounds = {
    ...(stateBytes === undefined ? {} : { stateBytes }),
    ...(takeRoom === undefined ? {} : { takeRoom }),
  };
  let serving: { readonly server: FastifyInstance; trust: Trust } | undefined;

  const begin = async (first: Trust): Promise<void> => {
    const frontProxy = () => serving?.trust.frontProxy ?? first.frontProxy;
    const server = createStateServer({ context: ports, log, tls: first.tls, frontProxy, ...bounds });
    await server.listen(listen);
    serving = { server, trust: first };
  };
  const look = async (): Promise<void> => {
    try {
      const trust = await lookUp(ports);
      if (serving === undefined) return await begin(trust);
      if (isDifferent(trust, serving.trust)) serve(serving.server.server, trust);
      serving.trust = trust;
    } catch (error) {
      const message = serving === undefined ? "states are not served yet" : "the state API could not renew its trust";
      log.error({ error: String(error) }, message);
    }
  };
  await look();
  const stop = again(clock, () => (serving === undefined ? TRY_AGAIN_MS : LOOK_AGAIN_MS), look);
  return {
    port: () => (serving === undefined ? undefined : addressOf(serving.server).port),
    async close() {
      stop();
      await serving?.server.close();
    },
  };
}

async function lookUp({ client, clock, namespace, hosts }: StateApiPorts): Promise<Trust> {
  const tls = await currentMaterial({ client, namespace, hosts, now: () => clock.now() });
  const frontProxy = await readFrontProxy(client);
  if (frontProxy === undefined) throw new Error("this cluster's API server does not say how it introduces itself");
  await registerAuthority(client, tls.authority.certificate);
  return { tls, frontProxy };
}

const isDifferent = (now: Trust, before: Trust): boolean =>
  now.tls.server.certificate !== before.tls.server.certificate || now.frontProxy.ca !== before.frontProxy.ca;

function serve(listener: unknown, { tls, frontProxy }: Trust): void {
  if (!(listener instanceof TlsServer)) return;
  const { certificate: cert, key } = tls.server;
  listener.setSecureContext({ cert, key, ca: frontProxy.ca, minVersion: "TLSv1.2" });
}

function again(clock: Pick<Clock, "setTimer">, pauseMs: () => number, work: () => Promise<void>): () => void {
  let stopped = false;
  let cancel = (): void => {};
  const schedule = (): void => {
    if (!stopped) cancel = clock.setTimer(pauseMs(), () => void work().then(schedule));
  };
  schedule();
  return () => {
    stopped = true;
    cancel();
  };
}
