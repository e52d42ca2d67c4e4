import type { Environment } from "../operator/api/environment.ts";
import { LABELS } from "../operator/api/names.ts";
import type { Run } from "../operator/api/run.ts";
import { isNotFound } from "../operator/cluster/errors.ts";
import type { Stored } from "../operator/cluster/ports.ts";
import { ENVIRONMENTS, RUNS } from "../operator/cluster/resources.ts";
import type { Cluster } from "./cluster.ts";
import { harmless } from "./harmless.ts";

/** There is no object of that name; says which there are. */
export class NotFound extends Error {
  override readonly name = "NotFound";
}

/** Throws NotFound with the names that there are. */
export async function readEnvironment(cluster: Cluster, name: string): Promise<Stored<Environment>> {
  const found = await cluster.client.find<Environment>(ENVIRONMENTS, cluster.namespace, name);
  if (found !== undefined) return harmless(found);
  throw new NotFound(await noEnvironment(cluster, name));
}

export async function readEnvironments({ client, namespace }: Cluster): Promise<readonly Stored<Environment>[]> {
  return harmless((await client.listAll<Environment>(ENVIRONMENTS, { namespace })).items);
}

/** Runs of one Environment, and of none that had its name before; or of the whole namespace. The newest comes first. */
export async function readRuns(cluster: Cluster, environment?: Stored<Environment>): Promise<readonly Stored<Run>[]> {
  const { client, namespace } = cluster;
  const labelSelector = environment === undefined ? undefined : `${LABELS.environment}=${environment.metadata.name}`;
  const selection = { namespace, ...(labelSelector === undefined ? {} : { labelSelector }) };
  const { items } = await client.listAll<Run>(RUNS, selection);
  return harmless(items)
    .filter(({ spec }) => environment === undefined || spec.environment.uid === environment.metadata.uid)
    .toSorted(newestFirst);
}

/** What an environment does. A Check looks for drift when nobody asked, and changes nothing: whoever means one names it. */
export const withoutChecks = (runs: readonly Stored<Run>[]): readonly Stored<Run>[] =>
  runs.filter(({ spec }) => spec.operation !== "Check");

/** Throws NotFound with the components that there are, where this one neither is nor was declared as far as anybody can see. */
export function mustKnowComponent({ metadata, spec, status }: Stored<Environment>, component: string): void {
  const names = new Set([...spec.components, ...(status?.components ?? [])].map(({ name }) => name));
  if (!names.has(component))
    throw new NotFound(`${metadata.name} has no component "${component}": there are ${[...names].join(", ")}`);
}

export async function findRun({ client, namespace }: Cluster, name: string): Promise<Stored<Run> | undefined> {
  return harmless(await client.find<Run>(RUNS, namespace, name));
}

/** Throws NotFound with what helps to find it. */
export async function readRun(cluster: Cluster, name: string): Promise<Stored<Run>> {
  const run = await findRun(cluster, name);
  if (run !== undefined) return run;
  await listed(readRuns(cluster));
  const hint = `kubectl terrarium runs -n ${cluster.namespace} lists them`;
  throw new NotFound(`There is no Run "${name}" in the namespace ${cluster.namespace}: ${hint}`);
}

function newestFirst(a: Stored<Run>, b: Stored<Run>): number {
  const made = Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp);
  return made !== 0 ? made : b.spec.number - a.spec.number;
}

/** Whoever may not list still hears that something is not there. A list is never missing: then the cluster does not know the kind. */
function listed<T>(list: Promise<readonly T[]>): Promise<readonly T[]> {
  return list.catch((error: unknown) => {
    if (isNotFound(error)) throw error;
    return [];
  });
}

const MOST_NAMES = 10;

async function noEnvironment(cluster: Cluster, name: string): Promise<string> {
  const { namespace } = cluster;
  const others = await listed(readEnvironments(cluster));
  const names = others.map(({ metadata }) => metadata.name);
  const sentence = `There is no Environment "${name}" in the namespace ${namespace}`;
  if (names.length === 0) return `${sentence}: choose another namespace with -n`;
  const more = names.length > MOST_NAMES ? ", …" : "";
  return `${sentence}. There are: ${names.slice(0, MOST_NAMES).join(", ")}${more}`;
}
