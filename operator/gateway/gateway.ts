import type { Clock } from "../loop/clock.ts";
import { type ApprovalReader, approvalsFrom } from "./approved.ts";
import type { TlsMaterial } from "./authority.ts";
import { type CertificatePorts, currentMaterial } from "./certificates.ts";
import type { GatewayContext, GatewayLog } from "./context.ts";
import { NOTHING_KNOWN } from "./known.ts";
import { createPlanTexts } from "./plan-text.ts";
import { createProgressThrottle } from "./progress.ts";
import type { TakeRoom } from "./reception.ts";
import { createRunStatuses } from "./run-status.ts";
import { addressOf, createServer, DEFAULT_LIMITS, type GatewayLimits, serveCertificate } from "./server.ts";
import { applyEveryPlan, type Judge } from "./verdict.ts";

export interface GatewayPorts extends Pick<GatewayContext, "store" | "ring" | "digestOfApplied" | "clock" | "log"> {
  readonly onAnswered?: GatewayContext["onAnswered"];
  readonly onChecked?: GatewayContext["onChecked"];
  readonly tell?: GatewayContext["tell"];
  readonly known?: GatewayContext["known"];
  /**
   * Reads pods, Runs, Environments and Approvals, reviews tokens, writes its Secret, Run.status and the texts of plans. Its writer must not ask for
   * the lease, since every replica serves, and its field manager is `GATEWAY_FIELD_MANAGER`.
   */
  readonly client: GatewayContext["client"] &
    ApprovalReader &
    CertificatePorts["client"] &
    Parameters<typeof createRunStatuses>[0] &
    Parameters<typeof createPlanTexts>[0];
  readonly namespace: string;
  readonly hosts: readonly string[];
  readonly listen: { readonly host: string; readonly port: number };
  readonly judge?: Judge;
  readonly ready?: () => boolean;
  readonly limits?: Partial<GatewayLimits>;
  readonly takeRoom?: TakeRoom;
}

export interface Gateway {
  readonly url: string;
  /** What pods must trust, in PEM. Ask each time a pod is made. */
  caPem(): string;
  /** Answers what is under way, then ends. */
  close(): Promise<void>;
}

/** Another replica may have renewed the certificate; thirty days are left when it does. */
const LOOK_AGAIN_MS = 10 * 60_000;

export async function startGateway(ports: GatewayPorts): Promise<Gateway> {
  const { client, namespace, hosts, clock, log, listen } = ports;
  const certificates: CertificatePorts = { client, namespace, hosts, now: () => clock.now() };
  let tls = await currentMaterial(certificates);
  const server = createServer(contextOf(ports), {
    tls,
    limits: { ...DEFAULT_LIMITS, ...ports.limits },
    ready: ports.ready ?? (() => true),
    takeRoom: ports.takeRoom,
  });
  await server.listen(listen);
  const stopFollowing = followCertificate(certificates, clock, log, (material) => {
    if (material.server.certificate !== tls.server.certificate) serveCertificate(server, material);
    tls = material;
  });
  return {
    url: `https://${listen.host}:${addressOf(server).port}`,
    caPem: () => tls.authority.certificate,
    async close() {
      stopFollowing();
      await server.close();
    },
  };
}

function contextOf(ports: GatewayPorts): GatewayContext {
  const { store, ring, client, digestOfApplied, clock, log, judge = applyEveryPlan, known = NOTHING_KNOWN } = ports;
  const { onAnswered = () => {}, onChecked = () => {}, tell = () => {} } = ports;
  const statuses = createRunStatuses(client);
  const planTexts = createPlanTexts(client);
  const progress = createProgressThrottle(clock);
  return {
    store,
    ring,
    client,
    known,
    statuses,
    planTexts,
    judge,
    approvals: approvalsFrom(client),
    digestOfApplied,
    progress,
    clock,
    log,
    onChecked,
    tell,
    onAnswered,
  };
}

function followCertificate(
  certificates: CertificatePorts,
  clock: Pick<Clock, "setTimer">,
  log: GatewayLog,
  onMaterial: (material: TlsMaterial) => void,
): () => void {
  let cancel = (): void => {};
  let stopped = false;
  const look = async (): Promise<void> => {
    try {
      onMaterial(await currentMaterial(certificates));
    } catch (error) {
      log.error({ error: String(error) }, "the gateway's certificate could not be looked up");
    }
    if (!stopped) schedule();
  };
  const schedule = (): void => {
    cancel = clock.setTimer(LOOK_AGAIN_MS, () => void look());
  };
  schedule();
  return () => {
    stopped = true;
    cancel();
  };
}
