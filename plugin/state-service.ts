import { ApiError, isNotServed } from "../operator/cluster/errors.ts";
import { collectionOf, objectAt } from "../operator/cluster/paths.ts";
import type { Resource } from "../operator/cluster/ports.ts";
import type { Cluster } from "./cluster.ts";
import { said } from "./explain.ts";
import { harmless } from "./harmless.ts";
import { NotFound } from "./lookup.ts";
import type { StateObject } from "./reading/states.ts";

/** The operator's API for states, behind the cluster's own API server: it knows who asks, and RBAC decides. */
export const STATES: Resource = {
  group: "state.terrarium.dev",
  version: "v1alpha1",
  plural: "states",
  kind: "State",
  namespaced: true,
};

export interface StateAddress {
  readonly environment: string;
  readonly component: string;
}

const nameOf = ({ environment, component }: StateAddress): string => `${environment}.${component}`;

export async function listStates(cluster: Cluster): Promise<readonly StateObject[]> {
  const { raw, namespace } = cluster;
  const text = await served(() => raw.read(collectionOf(STATES, namespace)));
  return harmless((JSON.parse(text.toString()) as { items?: readonly StateObject[] | null }).items ?? []);
}

export type Version = { readonly serial: number } | { readonly recovery: true } | undefined;

/** Byte for byte as it was stored. */
export function pullState(cluster: Cluster, address: StateAddress, version: Version): Promise<Buffer> {
  return served(() => cluster.raw.read(pathOf(cluster, address, "content"), { query: { ...version } }));
}

export function pushState(cluster: Cluster, address: StateAddress, text: string, force: boolean): Promise<StateObject> {
  const query = force ? { force } : {};
  return sent(() => cluster.raw.send("PUT", pathOf(cluster, address, "content"), text, { query }));
}

/** `force` gives up a recovery copy that cannot be read as a state. */
export function restoreState(
  cluster: Cluster,
  address: StateAddress,
  version: NonNullable<Version>,
  force: boolean,
): Promise<StateObject> {
  const body = JSON.stringify({ ...version, ...(force ? { force } : {}) });
  return sent(() => cluster.raw.send("POST", pathOf(cluster, address, "restore"), body));
}

export async function readState(cluster: Cluster, address: StateAddress): Promise<StateObject> {
  const { raw, namespace } = cluster;
  const text = await served(() => raw.read(objectAt(STATES, namespace, nameOf(address))));
  return harmless(JSON.parse(text.toString()) as StateObject);
}

/** `lock` is the id of a lock, or of a claim without one, whose Run has ended, or does not exist any more. */
export function unlockState(cluster: Cluster, address: StateAddress, lock: string): Promise<StateObject> {
  return sent(() => cluster.raw.send("POST", pathOf(cluster, address, "unlock"), JSON.stringify({ lock })));
}

/** `import` blocks for what was created and is in no state. */
export function importsOf(cluster: Cluster, address: StateAddress): Promise<Buffer> {
  return served(() => cluster.raw.read(pathOf(cluster, address, "imports")));
}

const pathOf = ({ namespace }: Cluster, address: StateAddress, subresource: string) =>
  objectAt(STATES, namespace, nameOf(address), subresource);

async function sent(send: () => Promise<unknown>): Promise<StateObject> {
  return (await served(send)) as StateObject;
}

/** The API server knows the group only where the operator has registered it, and passes on what a replica of it answers. */
async function served<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (isNotServed(error))
      throw new NotFound(
        "This cluster does not serve states: kubectl get apiservice v1alpha1.state.terrarium.dev says why",
      );
    if (error instanceof ApiError && error.status === 503)
      throw new Error(
        "The operator does not answer for states just now: kubectl get apiservice v1alpha1.state.terrarium.dev says why",
      );
    // Nobody was faster: what its rules refuse is refused as long as the state is what it is, and the sentence says what helps.
    if (error instanceof ApiError && error.status === 409) throw new Error(`Refused: ${said(error)}`);
    throw error;
  }
}
