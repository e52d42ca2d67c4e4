import { type ClusterAddresses, overlaps } from "./addresses.ts";
import { command, succeeds } from "./command.ts";
import { inNamespaces } from "./namespaces.ts";
import type { ProcessIdentity } from "./processes.ts";

/** A range of addresses that the machine uses already, and the link it belongs to. */
export interface UsedRange {
  readonly range: string;
  readonly link: string;
}

/** Ranges that a new cluster has to stay away from. */
export async function usedRanges(): Promise<UsedRange[]> {
  const routes: { dst?: string; dev?: string }[] = JSON.parse(await command("ip", ["-json", "-4", "route", "show"]));
  return routes.flatMap(({ dst, dev }) =>
    dst === undefined || dst === "default" ? [] : [{ range: dst, link: dev ?? "" }],
  );
}

/** The first range in use that a cluster with these addresses would take away, its own link left aside. */
export function conflictingRange(addresses: ClusterAddresses, used: readonly UsedRange[]): UsedRange | undefined {
  return used.find(({ range, link }) => link !== addresses.hostLink && overlaps(range, addresses.block));
}

/** Connects a cluster's network namespace with the machine: one link, and routes to pods and services. */
export async function connect(addresses: ClusterAddresses, supervisor: ProcessIdentity): Promise<void> {
  const { hostLink, nodeLink, hostAddress, nodeAddress, linkPrefix, podRange, serviceRange } = addresses;
  await disconnect(addresses);
  const ip = (...args: string[]) => command("ip", args);
  const inside = (...args: string[]) => inNamespaces(supervisor, "ip", args);
  await ip("link", "add", hostLink, "type", "veth", "peer", "name", nodeLink, "netns", `${supervisor.pid}`);
  await inside("addr", "add", `${nodeAddress}/${linkPrefix}`, "dev", nodeLink);
  await inside("link", "set", nodeLink, "up");
  // The API server calls Services, too; without a route nothing gets as far as kube-proxy's rules.
  await inside("route", "replace", serviceRange, "dev", nodeLink);
  await ip("addr", "add", `${hostAddress}/${linkPrefix}`, "dev", hostLink);
  await ip("link", "set", hostLink, "up");
  await ip("route", "replace", podRange, "via", nodeAddress, "dev", hostLink);
  await ip("route", "replace", serviceRange, "via", nodeAddress, "dev", hostLink);
}

/** Removes the link; its routes go with it. It may be gone already with the namespace at its other end. */
export async function disconnect(addresses: ClusterAddresses): Promise<void> {
  const present = () => succeeds("ip", ["link", "show", addresses.hostLink]);
  if (!(await present())) return;
  const removed = await succeeds("ip", ["link", "delete", addresses.hostLink]);
  if (!removed && (await present())) await command("ip", ["link", "delete", addresses.hostLink]);
}
