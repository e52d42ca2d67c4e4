import type { Approval } from "../api/approval.ts";
import type { Environment } from "../api/environment.ts";
import { LABELS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import type { Node, Pod, Secret } from "../cluster/kinds.ts";
import type { Client, KubeObject } from "../cluster/ports.ts";
import { APPROVALS, ENVIRONMENTS, NODES, PODS, RUNS, SECRETS } from "../cluster/resources.ts";
import { isClosed } from "../environment/observation.ts";
import type { Known } from "../gateway/known.ts";
import type { Clock } from "../loop/clock.ts";
import { keyFor } from "../loop/keys.ts";
import { createReflector, type Reflector, type ReflectorHooks, type ReflectorOptions } from "../loop/reflector.ts";
import type { Indexes } from "../loop/store.ts";
import { isWaitingForPeople } from "../run/phase.ts";
import type { LiveKeyRing } from "../storage/key-ring.ts";
import { learnKeys } from "../storage/keys.ts";
import type { RecordCache } from "../storage/port.ts";
import { createRecordCache, recordSelection } from "../storage/record-cache.ts";

/** The kinds as the API server returns them, with metadata in our own narrower words. */
export type CachedEnvironment = Environment & KubeObject;
export type CachedRun = Run & KubeObject;
export type CachedApproval = Approval & KubeObject;

export interface Caches {
  readonly environments: Reflector<CachedEnvironment>;
  readonly runs: Reflector<CachedRun>;
  readonly approvals: Reflector<CachedApproval>;
  readonly pods: Reflector<Pod>;
  readonly nodes: Reflector<Node>;
  readonly records: RecordCache;
  readonly all: readonly Reflector<never>[];
}

/** Names of the indexes. */
export const BY = {
  environmentUid: "environmentUid",
  place: "place",
  node: "node",
  run: "run",
  openCheck: "openCheck",
  waiting: "waiting",
} as const;

/** Closed Runs are kept by the thousand and are in neither: what is done in each round costs only as much as is under way. */
export const PLACE = { held: "held", awaited: "awaited", check: "check" } as const;

/** All open Checks of a component have this in common. */
export const checkedComponent = ({ spec }: Pick<Run, "spec">): string => `${spec.environment.uid}/${spec.component}`;

function placeOf(run: CachedRun): readonly string[] {
  if (isClosed(run)) return [];
  if (run.spec.operation === "Check") return [PLACE.check];
  return [holdsPlace(run) ? PLACE.held : PLACE.awaited];
}

export const RUN_INDEXES: Indexes<CachedRun> = {
  [BY.environmentUid]: (run) => [run.spec.environment.uid],
  [BY.place]: placeOf,
  [BY.waiting]: (run) =>
    !isClosed(run) && isWaitingForPeople(run) ? [keyFor(run.metadata.namespace, run.spec.environment.name)] : [],
  [BY.openCheck]: (run) => (run.spec.operation === "Check" && !isClosed(run) ? [checkedComponent(run)] : []),
};

/** A plan that waits for people keeps no pod, and so no place. */
export const holdsPlace = (run: CachedRun): boolean =>
  !isClosed(run) && run.status?.pods !== undefined && !isWaitingForPeople(run);

export const APPROVAL_INDEXES: Indexes<CachedApproval> = {
  [BY.run]: ({ metadata, spec }) => [keyFor(metadata.namespace, spec.run.name)],
};

export const POD_INDEXES: Indexes<Pod> = {
  [BY.environmentUid]: (pod) => [pod.metadata.labels?.[LABELS.environmentUid] ?? ""],
  [BY.run]: ({ metadata }) => [keyFor(metadata.namespace, metadata.labels?.[LABELS.run] ?? "")],
  [BY.node]: (pod) => (pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName]),
};

/** What the gateway may take from the watches. */
export const knownIn = ({ pods, runs, records }: Pick<Caches, "pods" | "runs" | "records">): Known => ({
  pod: (namespace, name) => pods.get(namespace, name),
  run: (namespace, name) => runs.get(namespace, name),
  record: ({ namespace, environment, component }) =>
    records.recordsOf(namespace, environment).find(({ key }) => key.component === component),
});

/** How soon a watch that says nothing is begun anew, and everything listed again; sensible unless told. */
export type WatchTiming = Pick<ReflectorOptions<KubeObject>, "silenceMs" | "relistMs">;

export interface CacheParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly namespace: string;
  readonly ring: LiveKeyRing;
  readonly hooks: ReflectorHooks;
  readonly timing?: WatchTiming;
}

/** Everything that the leader watches. Idle objects cost no request: all reading is from here. */
export function createCaches({ client, clock, namespace, ring, hooks, timing }: CacheParts): Caches {
  const reflect = <T extends KubeObject>(options: Omit<ReflectorOptions<T>, "client" | "clock" | "hooks">) =>
    createReflector<T>({ ...options, ...timing, client, clock, hooks });
  const environments = reflect<CachedEnvironment>({ resource: ENVIRONMENTS });
  const runs = reflect<CachedRun>({ resource: RUNS, indexes: RUN_INDEXES });
  const approvals = reflect<CachedApproval>({ resource: APPROVALS, indexes: APPROVAL_INDEXES });
  const pods = reflect<Pod>({
    resource: PODS,
    selection: { labelSelector: LABELS.run },
    indexes: POD_INDEXES,
  });
  const nodes = reflect<Node>({ resource: NODES });
  const secrets = reflect<Secret>({ resource: SECRETS, selection: recordSelection(namespace) });
  // Before the records: what a new key has sealed is opened by it.
  secrets.onChange((_old, now) => (now === undefined ? undefined : learnKeys(ring, now)));
  const records = createRecordCache(secrets, ring);
  const all = [environments, runs, approvals, pods, nodes, secrets] as unknown as readonly Reflector<never>[];
  return { environments, runs, approvals, pods, nodes, records, all };
}
