/** Where one journey happens: a namespace of its own, and the verbs that a person would use in it. */

import type { Reason } from "../../../operator/api/conditions.ts";
import type { Environment } from "../../../operator/api/environment.ts";
import type { EnvironmentStatus } from "../../../operator/api/environment-status.ts";
import { LABELS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import type { ConfigMap, Pod, Secret } from "../../../operator/cluster/kinds.ts";
import type { KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import { CONFIG_MAPS, ENVIRONMENTS, PODS, RUNS, SECRETS } from "../../../operator/cluster/resources.ts";
import { awaitCondition } from "../../../tools/cluster/await-condition.ts";
import { follow, NotInTime } from "./following.ts";
import type { Installation } from "./installation.ts";
import type { Outside } from "./outside.ts";
import { patience } from "./patience.ts";
import { describePlace } from "./picture.ts";

export type ComponentLine = NonNullable<EnvironmentStatus["components"]>[number];

export interface Patience {
  readonly within?: number;
  /** For the error, as in `database to be Blocked`. */
  readonly about?: string;
}

/** Seconds. A wait for what comes costs nothing by being long: a busy machine has other things to do. */
const soon = 120;

export class Place {
  readonly installation: Installation;
  readonly namespace: string;
  readonly outside: Outside;

  constructor(installation: Installation, namespace: string, outside: Outside) {
    this.installation = installation;
    this.namespace = namespace;
    this.outside = outside;
  }

  /** `kubectl apply`, as people do it: a refusal is an error with the API server's sentence. */
  async apply(...objects: readonly object[]): Promise<void> {
    const text = objects.map((object) => JSON.stringify(object)).join("\n---\n");
    await this.kubectl(["apply", "--server-side", "--force-conflicts", "--field-manager=a-person", "-f", "-"], text);
  }

  kubectl(args: readonly string[], input?: string): Promise<string> {
    return this.installation.kubectl.run(["--namespace", this.namespace, ...args], input);
  }

  async secret(name: string, stringData: Readonly<Record<string, string>>): Promise<void> {
    await this.apply({ apiVersion: "v1", kind: "Secret", metadata: { name }, stringData });
  }

  async configMap(name: string, data: Readonly<Record<string, string>>): Promise<void> {
    await this.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
  }

  environment(name: string): Promise<Stored<Environment>> {
    return this.installation.client.get<Environment>(ENVIRONMENTS, this.namespace, name);
  }

  async patch(name: string, patch: Readonly<Record<string, unknown>>): Promise<void> {
    await this.installation.client.mergePatch(ENVIRONMENTS, this.namespace, name, patch);
  }

  /** A null takes the annotation away. */
  annotate(name: string, annotations: Readonly<Record<string, string | null>>): Promise<void> {
    return this.patch(name, { metadata: { annotations } });
  }

  request(name: string): Promise<void> {
    return this.annotate(name, { "terrarium.dev/requestedAt": new Date().toISOString() });
  }

  async delete(name: string): Promise<void> {
    await this.installation.client.delete(ENVIRONMENTS, this.namespace, name);
  }

  /** Waits until the Environment's status says so of the spec of now; rejects with a picture of everything there is. */
  async until(
    name: string,
    so: (environment: Stored<Environment>) => boolean,
    { within = soon, about = "what is waited for" }: Patience = {},
  ): Promise<Stored<Environment>> {
    const look = (found: readonly Stored<Environment>[]) => found.find((one) => isCurrent(one) && so(one));
    return this.#patiently(`Environment ${name}: ${about}`, within, ENVIRONMENTS, named(name), look);
  }

  untilReady(name: string, { within = soon }: Patience = {}): Promise<Stored<Environment>> {
    return this.until(name, isReady, { within, about: "to be Ready" });
  }

  untilComponent(
    name: string,
    component: string,
    so: (line: ComponentLine) => boolean,
    { within = soon, about = `component ${component}` }: Patience = {},
  ): Promise<ComponentLine> {
    const look = (found: readonly Stored<Environment>[]) => found.filter(isCurrent).map(lineOf(component)).find(so_);
    const so_ = (line: ComponentLine | undefined) => line !== undefined && so(line);
    return this.#patiently(`Environment ${name}: ${about}`, within, ENVIRONMENTS, named(name), look);
  }

  /** Waits until the component stands there for that reason. */
  untilReason(name: string, component: string, reason: Reason, limits: Patience = {}): Promise<ComponentLine> {
    const about = `component ${component} to say ${reason}`;
    return this.untilComponent(name, component, (line) => line.reason === reason, { about, ...limits });
  }

  async untilGone(name: string, { within = soon }: Patience = {}): Promise<void> {
    const look = (found: readonly Stored<Environment>[]) => (found.length === 0 ? true : undefined);
    await this.#patiently(`Environment ${name}: to be gone`, within, ENVIRONMENTS, named(name), look);
  }

  /** Runs of a component (or of all), by number. */
  async runs(component?: string): Promise<readonly Stored<Run>[]> {
    const { items } = await this.installation.client.listAll<Run>(RUNS, this.#runsOf(component));
    return items.toSorted((a, b) => a.spec.number - b.spec.number);
  }

  untilRun(
    component: string,
    so: (run: Stored<Run>) => boolean,
    { within = soon, about = "a Run" }: Patience = {},
  ): Promise<Stored<Run>> {
    const look = (found: readonly Stored<Run>[]) => found.find(so);
    return this.#patiently(`component ${component}: ${about}`, within, RUNS, this.#runsOf(component), look);
  }

  untilRunEnds(component: string, number = 1, limits: Patience = {}): Promise<Stored<Run>> {
    const ended = (run: Stored<Run>) => run.spec.number === number && run.status?.finishedAt !== undefined;
    return this.untilRun(component, ended, { about: `Run ${number} to end`, ...limits });
  }

  /** All that follows from a Run's end is written then. */
  untilLetGo(component: string): Promise<Stored<Run>> {
    const letGo = (run: Stored<Run>) => run.status?.finishedAt !== undefined && !run.metadata.finalizers?.length;
    return this.untilRun(component, letGo, { about: "a Run to be let go" });
  }

  /** The pod of a Run, once its containers have started; with `after`, once its agent was started anew. */
  podOf(run: Run, { within = soon, after }: Patience & { readonly after?: Pod } = {}): Promise<Stored<Pod>> {
    const agentOf = (pod: Pod) => pod.status?.containerStatuses?.find(({ name }) => name === "agent");
    const before = after === undefined ? undefined : agentOf(after)?.containerID;
    const started = (pod: Stored<Pod>) =>
      pod.status?.containerStatuses?.length === 2 &&
      pod.status.containerStatuses.every(({ containerID }) => containerID) &&
      (before === undefined || (agentOf(pod)?.containerID !== before && agentOf(pod)?.state?.running !== undefined));
    const selection = { labelSelector: `${LABELS.run}=${run.metadata.name}` };
    const look = (found: readonly Stored<Pod>[]) => found.find(started);
    return this.#patiently(`pod of ${run.metadata.name}: to start`, within, PODS, selection, look);
  }

  /** Waits until a container of the pod has been started anew: so it was killed, whatever became of it since. */
  async untilRestarted(pod: Pod, container: string): Promise<void> {
    const restartsIn = ({ status }: Pod) =>
      status?.containerStatuses?.find(({ name }) => name === container)?.restartCount ?? 0;
    const { name } = pod.metadata;
    const look = (found: readonly Stored<Pod>[]) => found.find((one) => restartsIn(one) > restartsIn(pod));
    await this.#patiently(`pod ${name}: ${container} to be started anew`, soon, PODS, named(name), look);
  }

  async pods(component?: string): Promise<readonly Stored<Pod>[]> {
    const { items } = await this.installation.client.listAll<Pod>(PODS, this.#runsOf(component));
    return items;
  }

  logs(pod: Pod, container: "agent" | "engine" = "agent"): Promise<string> {
    return this.kubectl(["logs", pod.metadata.name, "--container", container]);
  }

  /** Waits until the agent has printed it, which is what the engine said. */
  async untilLog(pod: Pod, pattern: RegExp): Promise<void> {
    const look = async () => pattern.test(await this.logs(pod)) || "it was not printed yet";
    await awaitCondition(`the agent to print ${pattern}`, soon * patience, look);
  }

  find(kind: "Secret", name: string): Promise<Stored<Secret> | undefined>;
  find(kind: "ConfigMap", name: string): Promise<Stored<ConfigMap> | undefined>;
  find(kind: "Secret" | "ConfigMap", name: string): Promise<Stored<KubeObject> | undefined> {
    return this.installation.client.find(kind === "Secret" ? SECRETS : CONFIG_MAPS, this.namespace, name);
  }

  #runsOf(component: string | undefined) {
    const labelSelector = component === undefined ? LABELS.run : `${LABELS.component}=${component}`;
    return { namespace: this.namespace, ...(component === undefined ? {} : { labelSelector }) };
  }

  async #patiently<T extends KubeObject, R>(
    what: string,
    within: number,
    resource: Parameters<typeof follow>[1]["resource"],
    selection: object,
    look: (found: readonly Stored<T>[]) => R | undefined,
  ): Promise<R> {
    const { client } = this.installation;
    try {
      const mine = { namespace: this.namespace, ...selection };
      return await follow<T, R>(client, { resource, selection: mine, look, withinMs: within * patience * 1000, what });
    } catch (error) {
      if (!(error instanceof NotInTime)) throw error;
      throw new NotInTime(`${error.message}\n${await describePlace(client, this.namespace)}`);
    }
  }
}

export function lineOf(component: string): (environment: Environment) => ComponentLine | undefined {
  return ({ status }) => status?.components?.find(({ name }) => name === component);
}

export function outputOf({ status }: Environment, name: string): unknown {
  return status?.outputs?.find((output) => output.name === name)?.value;
}

export function conditionOf({ status }: Environment, type: string) {
  return status?.conditions?.find((condition) => condition.type === type);
}

function isCurrent({ metadata, status }: Environment): boolean {
  return status?.observedGeneration === metadata.generation;
}

/** Ready, of the spec of now, and nothing under way. */
export function isReady(environment: Environment): boolean {
  const holds = (type: string) => conditionOf(environment, type)?.status === "True";
  const asked = environment.metadata.annotations?.["terrarium.dev/requestedAt"];
  return holds("Ready") && !holds("Reconciling") && environment.status?.handledRequest === asked;
}

function named(name: string) {
  return { fieldSelector: `metadata.name=${name}` };
}
