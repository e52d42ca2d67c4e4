import { LABELS } from "../../../operator/api/names.ts";
import type { Run, RunInputs, RunSpec } from "../../../operator/api/run.ts";
import type { RunOutcome, RunStatus } from "../../../operator/api/run-status.ts";
import type { Node } from "../../../operator/cluster/kinds.ts";
import type { ObservedPod, RunObservation } from "../../../operator/run/observation.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";

/** What the Run controller sees, with defaults that say: all is well, and the pod runs. */

export const POD_UID = "pod-uid";

export const applied: RunOutcome = { result: "Applied", reason: "Applied", message: "" };
export const interrupted: RunOutcome = {
  result: "Interrupted",
  reason: "Interrupted",
  message: "the engine was killed",
};

/** Metadata of what is being deleted. */
export const leaving = { deletionTimestamp: "2026-01-01T00:00:00Z" };

export function runInputs(more: Partial<RunInputs> = {}): RunInputs {
  return {
    source: { inline: { "main.tf": "" } },
    path: ".",
    variables: [],
    credentials: [],
    runner: {},
    timeouts: { plan: "15m", apply: "60m" },
    dependsOn: [],
    ...more,
  };
}

export function runSpec(more: Partial<RunSpec> = {}): RunSpec {
  return {
    environment: { name: "shop", uid: "env-uid", generation: 1 },
    component: "network",
    number: 4,
    operation: "Apply",
    desiredDigest: "sha256:desired",
    inputsDigest: "sha256:inputs",
    engine: { name: "opentofu", version: "1.12", image: "runner@sha256:0a" },
    cause: { type: "Created" },
    attempt: 0,
    inputs: runInputs(),
    ...more,
  };
}

/** Status of a Run whose pod was made. */
export function begun(more: Partial<RunStatus> = {}): RunStatus {
  return {
    observedGeneration: 1,
    phase: "Planning",
    pods: [{ name: "the-pod", uid: POD_UID, createdAt: new Date(T0).toISOString() }],
    startedAt: new Date(T0).toISOString(),
    ...more,
  };
}

type ContainerState = "running" | "terminated" | "OOMKilled" | "waiting" | { readonly waiting: string };

export interface PodFacts {
  readonly metadata?: Partial<ObservedPod["metadata"]>;
  readonly node?: string | undefined;
  readonly states?: readonly ContainerState[];
  readonly phase?: string;
  /** Why the kubelet ended it, where it did. */
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
}

function stateOf(state: ContainerState): object {
  if (typeof state === "object") return { waiting: { reason: state.waiting, message: "said the kubelet" } };
  if (state === "waiting") return { waiting: { reason: "ContainerCreating" } };
  if (state === "running") return { running: { startedAt: new Date(T0).toISOString() } };
  return { terminated: { exitCode: 1, reason: state === "OOMKilled" ? "OOMKilled" : "Error" } };
}

const hasEnded = (state: ContainerState): boolean => state === "terminated" || state === "OOMKilled";

export function aPod({ metadata, states, conditions, ...facts }: PodFacts = {}): ObservedPod {
  const phase = facts.phase ?? (states?.every(hasEnded) ? "Failed" : "Running");
  const nodeName = "node" in facts ? facts.node : "node-1";
  const names = ["agent", "engine"] as const;
  return {
    metadata: {
      name: "the-pod",
      namespace: "team",
      uid: POD_UID,
      labels: { [LABELS.run]: "the-run" },
      finalizers: ["terrarium.dev/run-pod"],
      ownerReferences: [{ apiVersion: "terrarium.dev/v1alpha1", kind: "Run", name: "the-run", uid: "network-4" }],
      ...metadata,
    },
    spec: { containers: names.map((name) => ({ name })), ...(nodeName === undefined ? {} : { nodeName }) },
    status: {
      phase,
      ...(facts.reason === undefined ? {} : { reason: facts.reason, message: facts.message }),
      ...(conditions === undefined ? {} : { conditions }),
      containerStatuses: (states ?? ["running", "running"]).map((state, index) => ({
        name: names[index] ?? "more",
        state: stateOf(state),
      })),
    },
  } as unknown as ObservedPod;
}

export const aNode = (taints: readonly string[] = []): Node =>
  ({
    metadata: { name: "node-1" },
    spec: { taints: taints.map((key) => ({ key, effect: "NoExecute" })) },
  }) as unknown as Node;

export interface ObservationFacts extends Partial<Omit<RunObservation, "run">> {
  readonly run?: Run;
  readonly spec?: Partial<RunSpec>;
  readonly status?: RunStatus | undefined;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function observation({ run, spec, annotations, ...more }: ObservationFacts = {}): RunObservation {
  const status = "status" in more ? more.status : begun();
  const { status: _status, ...rest } = more;
  const metadata = annotations === undefined ? {} : { annotations };
  return {
    run: run ?? aRun(runSpec(spec), status, metadata),
    environment: anEnvironment([aComponent("network")]),
    pod: aPod(),
    planPod: undefined,
    approvals: [],
    node: aNode(),
    standing: { type: "stands" },
    isOvertaken: false,
    freePlaces: 1,
    nowMs: T0,
    ...rest,
  };
}
