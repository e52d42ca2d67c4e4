import { FINALIZERS, LABELS } from "../../operator/api/names.ts";
import type { Node, Pod } from "../../operator/cluster/kinds.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import { NODES, PODS } from "../../operator/cluster/resources.ts";
import { RUNNER_IMAGE_ID } from "./objects.ts";
import type { WorldApi } from "./world-api.ts";
import { Killed, type Mortal, type Turns } from "./world-turns.ts";

interface Process {
  readonly self: Mortal;
  readonly node: string;
  ended: boolean;
  reason: string;
  ending: boolean;
}

export interface KubeletParts {
  readonly api: WorldApi;
  readonly turns: Turns;
  /** The programs of a pod. Resolves when they have ended by themselves. */
  readonly run: (pod: Stored<Pod>, self: Mortal, ending: () => boolean) => Promise<void>;
  /** The programs of a pod were killed, and left everything as it is. */
  readonly onKilled: (uid: string) => void;
}

type Step = () => void;

/** Scheduler and kubelets: what they may do next, one small step each. */
export interface Kubelet {
  steps(): readonly Step[];
  /** Pods whose programs run. */
  running(): readonly string[];
  /** Kills the programs at once, as an OOM kill or a power cut does. */
  kill(uid: string, reason: string): void;
  silence(node: string): void;
  speak(node: string): void;
  /** The machine is switched off, and its object deleted. */
  remove(node: string): void;
  silent(): readonly string[];
}

export function createKubelet({ api, turns, run, onKilled }: KubeletParts): Kubelet {
  const processes = new Map<string, Process>();
  const silent = new Set<string>();
  let nodes = 0;
  const addNode = (): void => {
    nodes += 1;
    api.create(NODES, { metadata: { name: `node-${nodes}` } });
  };
  addNode();
  addNode();

  const edit = (pod: Stored<Pod>, change: (pod: Stored<Pod>) => object): void =>
    api.edit<Pod>(PODS, pod.metadata.namespace, pod.metadata.name, change);
  const report = (pod: Stored<Pod>, state: object, phase: string): void => {
    const imageID = processes.has(pod.metadata.uid) ? RUNNER_IMAGE_ID : "";
    const containerStatuses = ["agent", "engine"].map((name) => ({ name, state, imageID }));
    edit(pod, (old) => ({ ...old, status: { ...old.status, phase, containerStatuses } }));
  };
  const kill = (uid: string, reason: string): void => {
    const found = processes.get(uid);
    if (found === undefined || found.ended) return;
    found.ended = true;
    found.reason = reason;
    onKilled(uid);
    found.self.kill();
  };
  const start = (pod: Stored<Pod>, node: string): void => {
    const self = turns.mortal(`pod ${pod.metadata.name}`);
    const found: Process = { self, node, ended: false, reason: "Completed", ending: false };
    processes.set(pod.metadata.uid, found);
    turns.spawn(async () => {
      try {
        await run(pod, self, () => found.ending);
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      } finally {
        found.ended = true;
      }
    });
  };
  const terminated = (reason: string) => ({ terminated: { exitCode: reason === "Completed" ? 0 : 137, reason } });
  const isTerminated = ({ status }: Stored<Pod>) =>
    status?.containerStatuses?.every(({ state }) => state?.terminated !== undefined) ?? false;

  const stepsOf = (pod: Stored<Pod>): readonly Step[] => {
    const { uid, deletionTimestamp } = pod.metadata;
    const node = pod.spec?.nodeName;
    const leaving = deletionTimestamp !== undefined;
    if (node === undefined) {
      const free = api.all<Node>(NODES.plural).find(({ metadata }) => !silent.has(metadata.name));
      if (leaving || free === undefined) return [];
      const nodeName = free.metadata.name;
      return [() => edit(pod, (old) => ({ ...old, spec: { ...old.spec, nodeName } }))];
    }
    if (silent.has(node) || api.find(NODES.plural, undefined, node) === undefined) return [];
    const found = processes.get(uid);
    if (found === undefined) {
      if (!leaving) return [() => start(pod, node)];
      // What was deleted before it was started is reported as terminated all the same.
      return isTerminated(pod) ? [] : [() => report(pod, terminated("ContainerStatusUnknown"), "Failed")];
    }
    if (found.ended) {
      if (isTerminated(pod)) return [];
      const phase = found.reason === "Completed" ? "Succeeded" : "Failed";
      return [() => report(pod, terminated(found.reason), phase)];
    }
    const steps: Step[] = [];
    if (pod.status?.containerStatuses === undefined) steps.push(() => report(pod, { running: {} }, "Running"));
    // SIGTERM
    if (leaving && !found.ending)
      steps.push(() => {
        found.ending = true;
      });
    return steps;
  };

  return {
    steps: () =>
      api
        .all<Pod>(PODS.plural)
        .filter(({ metadata }) => metadata.labels?.[LABELS.run] !== undefined)
        .flatMap(stepsOf),
    running: () => [...processes].filter(([, { ended }]) => !ended).map(([uid]) => uid),
    kill,
    silence: (node) => void silent.add(node),
    speak: (node) => void silent.delete(node),
    silent: () => [...silent],
    remove(node) {
      for (const [uid, found] of processes) if (found.node === node) kill(uid, "NodeLost");
      silent.delete(node);
      api.delete(NODES, undefined, node, undefined);
      addNode();
    },
  };
}

/** Lets go of a pod by hand, finalizer and all: what nobody should do, and somebody does. */
export function removeByHand(api: WorldApi, pod: Stored<Pod>): void {
  const { namespace, name } = pod.metadata;
  api.edit<Pod>(PODS, namespace, name, (old) => ({
    ...old,
    metadata: { ...old.metadata, finalizers: (old.metadata.finalizers ?? []).filter((one) => one !== FINALIZERS.pod) },
  }));
  api.delete(PODS, namespace, name, undefined);
}
