/** The operator itself, as something that can be killed, restarted and cut off. */
import { setTimeout as pause } from "node:timers/promises";
import type { Lease, Pod } from "../../../operator/cluster/kinds.ts";
import type { Stored } from "../../../operator/cluster/ports.ts";
import { LEASES, PODS } from "../../../operator/cluster/resources.ts";
import { inPodNetwork, killContainers, killProcesses, processesIn, signalProcesses, untilEnded } from "./containers.ts";
import { follow } from "./following.ts";
import { operatorNamespace } from "./installation.ts";
import { patience } from "./patience.ts";
import type { Place } from "./place.ts";

const selection = { namespace: operatorNamespace, labelSelector: "app.kubernetes.io/component=operator" };

export async function operatorPods({ installation: { client } }: Place): Promise<readonly Stored<Pod>[]> {
  return (await client.listAll<Pod>(PODS, selection)).items;
}

/** SIGKILL for every replica at once. */
export async function killOperators(place: Place): Promise<void> {
  killProcesses(await processesIn(await operatorPods(place), ["operator"]));
}

/** SIGKILL for every replica at once; others take their places without the pauses of a container that ends again and again. */
export async function killOperatorPods(place: Place): Promise<void> {
  await killOperators(place);
  await replaceOperators(place, { gracePeriodSeconds: 0 });
}

/** SIGTERM for every replica at once; each has the time that its pod allows. */
export const endOperators = (place: Place): Promise<void> => replaceOperators(place, {});

async function replaceOperators(place: Place, options: { readonly gracePeriodSeconds?: number }): Promise<void> {
  const pods = await operatorPods(place);
  await Promise.all(
    pods.map(({ metadata }) => place.installation.client.delete(PODS, operatorNamespace, metadata.name, options)),
  );
  await untilOperatorsAreReady(place);
}

/**
 * SIGKILL for the replica that leads, as soon as one has led for so long. Another pod takes its place, without the pauses of a container that
 * ends again and again. Resolves when another replica leads, for which the lease of the one that was killed has to run out.
 */
export async function killLeader(place: Place, afterMs: number): Promise<void> {
  const leader = await untilOneLeads(place);
  await pause(afterMs);
  await killContainers(leader, ["operator"]);
  await place.installation.client.delete(PODS, operatorNamespace, leader.metadata.name, { gracePeriodSeconds: 0 });
  await untilAnotherLeads(place, leader);
}

/** Somebody else takes the lease; resolves with the replica that had it, when its process has ended and another one has begun. */
export async function takeLease(place: Place): Promise<Stored<Pod>> {
  const leader = await untilOneLeads(place);
  const { client } = place.installation;
  const spec = { holderIdentity: "somebody", leaseDurationSeconds: 1 };
  await client.mergePatch(LEASES, operatorNamespace, "terrarium-operator", { spec });
  return untilBegunAnew(place, leader);
}

export interface Woken {
  readonly replica: Stored<Pod>;
  /** Until its process has ended. */
  readonly awake: { readonly since: Date; readonly until: Date };
}

/**
 * The replica that leads stands still, as on a machine that is suspended, until another one leads and `meanwhile` has done its part; then it goes
 * on as if nothing had been. Resolves when its process has ended, and another one has begun in its place.
 */
export async function freezeLeader(place: Place, meanwhile: () => Promise<void>): Promise<Woken> {
  const leader = await untilOneLeads(place);
  const signal = (name: NodeJS.Signals) => signalProcesses(leader, "operator", /./, name);
  await signal("SIGSTOP");
  let since: Date;
  try {
    await untilAnotherLeads(place, leader);
    await untilNotReady(place, leader);
    await meanwhile();
  } finally {
    since = new Date();
    await signal("SIGCONT");
  }
  await untilEnded(leader, "operator", /./);
  const until = new Date();
  return { replica: await untilBegunAnew(place, leader), awake: { since, until } };
}

function untilBegunAnew({ installation: { client } }: Place, replica: Stored<Pod>): Promise<Stored<Pod>> {
  const restartsOf = ({ status }: Pod) => status?.containerStatuses?.[0]?.restartCount ?? 0;
  return follow<Pod, Stored<Pod>>(client, {
    resource: PODS,
    selection: alone(replica),
    look: (pods) => pods.find((pod) => restartsOf(pod) > restartsOf(replica)),
    withinMs: 180_000 * patience,
    what: "the replica that lost its lease to begin anew",
  });
}

async function untilAnotherLeads({ installation: { client } }: Place, leader: Pod): Promise<void> {
  await follow<Lease, true>(client, {
    resource: LEASES,
    selection: { namespace: operatorNamespace },
    look: (leases) => {
      const [holder = ""] = leases.map(({ spec }) => spec?.holderIdentity ?? "").filter((name) => name !== "");
      return holder !== "" && !isOf(leader, holder) ? true : undefined;
    },
    withinMs: 120_000 * patience,
    what: "another replica to lead",
  });
}

/** From then on no runner is sent to its gateway. */
async function untilNotReady({ installation: { client } }: Place, replica: Pod): Promise<void> {
  await follow<Pod, true>(client, {
    resource: PODS,
    selection: alone(replica),
    look: (pods) => (pods.some(isReady) ? undefined : true),
    withinMs: 120_000 * patience,
    what: "the replica that stands still to be noticed",
  });
}

const alone = ({ metadata }: Pod) => ({ ...selection, fieldSelector: `metadata.name=${metadata.name}` });

const isOf = ({ metadata }: Pod, holder: string): boolean => holder.startsWith(`${metadata.name}_`);

const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";

export function logBeforeRestart({ installation: { kubectl } }: Place, { metadata }: Pod): Promise<string> {
  return kubectl.run(["logs", "--previous", "-n", operatorNamespace, metadata.name]);
}

/** The Lease names a replica that was killed for as long as it lasts: who leads is also there. */
async function untilOneLeads(place: Place): Promise<Stored<Pod>> {
  const gone = new Set<string>();
  while (true) {
    const holder = await follow<Lease, string>(place.installation.client, {
      resource: LEASES,
      selection: { namespace: operatorNamespace },
      look: (leases) =>
        leases.map(({ spec }) => spec?.holderIdentity ?? "").find((name) => name !== "" && !gone.has(name)),
      withinMs: 120_000 * patience,
      what: "a replica that is there to lead",
    });
    const leader = (await operatorPods(place)).find((pod) => isOf(pod, holder));
    if (leader !== undefined) return leader;
    gone.add(holder);
  }
}

/** Every replica replaced by another pod, one after the other, as in an upgrade. */
export async function restartOperators({ installation: { kubectl } }: Place): Promise<void> {
  await kubectl.run(["rollout", "restart", "deployment/terrarium-operator", "-n", operatorNamespace]);
  await kubectl.run([
    "rollout",
    "status",
    "deployment/terrarium-operator",
    "-n",
    operatorNamespace,
    "--timeout",
    "120s",
  ]);
}

export async function scaleOperators({ installation: { kubectl } }: Place, replicas: number): Promise<void> {
  await kubectl.run(["scale", "deployment/terrarium-operator", "-n", operatorNamespace, `--replicas=${replicas}`]);
}

export async function untilNoOperatorIsLeft({ installation: { client } }: Place): Promise<void> {
  await follow<Pod, true>(client, {
    resource: PODS,
    selection,
    look: (pods) => (pods.length === 0 ? true : undefined),
    withinMs: 120_000 * patience,
    what: "the last of the operator's pods to be gone",
  });
}

export async function untilOperatorsAreReady({ installation: { client } }: Place): Promise<void> {
  await follow<Pod, true>(client, {
    resource: PODS,
    selection,
    look: (pods) => (pods.filter(isReady).length >= 2 ? true : undefined),
    withinMs: 120_000 * patience,
    what: "two operator pods to be ready",
  });
}

export function operatorLogs({ installation: { kubectl } }: Place): Promise<string> {
  const selector = "app.kubernetes.io/component in (operator,resolver)";
  return kubectl.run(["logs", "-n", operatorNamespace, "-l", selector, "--tail=-1", "--all-containers"]);
}

const table = "terrarium-journey";

/** For this pod the gateway is away: its packets vanish. Nobody else notices. */
export async function cutOffGateway(pod: Pod): Promise<void> {
  const rules = `table inet ${table} {\n  chain out {\n    type filter hook output priority 0\n    tcp dport 8443 drop\n  }\n}\n`;
  await inPodNetwork(pod, "nft", ["-f", "-"], rules);
}

export async function restoreGateway(pod: Pod): Promise<void> {
  await inPodNetwork(pod, "nft", ["delete", "table", "inet", table]);
}
