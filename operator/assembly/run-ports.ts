import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS, FINALIZERS } from "../api/names.ts";
import { isClosed, type Run } from "../api/run.ts";
import type { RunOutcome, RunStatus } from "../api/run-status.ts";
import {
  absentWebhook,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isInvalid,
  isNotFound,
  isNotReadyYet,
  isRightMissing,
} from "../cluster/errors.ts";
import type { Node, Pod } from "../cluster/kinds.ts";
import type { Client, EventRecorder, KubeObject, Stored } from "../cluster/ports.ts";
import { ENVIRONMENTS, NODES, PODS, RUNS, referenceTo } from "../cluster/resources.ts";
import { sameOnTheWire } from "../cluster/same-on-the-wire.ts";
import { signOrder } from "../gateway/order.ts";
import type { Clock } from "../loop/clock.ts";
import { keyFor } from "../loop/keys.ts";
import type { PlanStanding } from "../run/observation.ts";
import { overriddenText } from "../run/outside-windows.ts";
import { type PodSettings, podFor, podName, type RunPhaseName } from "../run/pod.ts";
import type { PodMade, RunPorts } from "../run/ports.ts";
import { heldFor } from "../storage/holding.ts";
import type { KeyRing } from "../storage/key-ring.ts";
import type { StateStore } from "../storage/port.ts";
import type { StateKey } from "../storage/record.ts";
import { type EndingRun, endRun, hasReported } from "../storage/run-end.ts";
import { summariseJournal } from "../storage/run-journal.ts";
import { BY, type CachedRun, type Caches } from "./caches.ts";
import { environmentReference } from "./environment-writes.ts";
import { removeFinalizer } from "./finalizers.ts";
import { hasChanged } from "./news.ts";
import { countPlaces } from "./places.ts";

export interface RunParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly caches: Caches;
  readonly store: StateStore;
  readonly ring: KeyRing;
  readonly events: EventRecorder;
  readonly pod: Omit<PodSettings, "order" | "gatewayCa"> & { readonly gatewayCa: () => string };
  readonly standingOf: (run: Run) => PlanStanding;
  readonly maxRuns: number;
  readonly maxChecks: number;
  readonly onClosed: (run: Run, outcome: RunOutcome) => void;
}

const stored = (run: Run) => run as Stored<CachedRun>;

const stateKeyOf = ({ metadata, spec }: Run): StateKey => ({
  namespace: metadata.namespace,
  environment: spec.environment.name,
  component: spec.component,
});

/** What the Run controller uses of the world, on a real cluster. */
export function runPorts(parts: RunParts): RunPorts {
  const { client, caches, store } = parts;
  const places = countPlaces(caches, { runs: parts.maxRuns, checks: parts.maxChecks });
  return {
    now: () => parts.clock.now(),
    run: (namespace, name) => caches.runs.get(namespace, name),
    environment: (namespace, name) => caches.environments.get(namespace, name),
    approvalsOf: ({ metadata }) => caches.approvals.byIndex(BY.run, keyFor(metadata.namespace, metadata.name)),
    standingOf: parts.standingOf,
    async node(name, signal) {
      return caches.nodes.get(undefined, name) ?? (await client.find<Node>(NODES, undefined, name, { signal }));
    },
    isOvertaken: ({ spec }) =>
      caches.runs
        .byIndex(BY.environmentUid, spec.environment.uid)
        .some(
          ({ spec: other }) =>
            other.component === spec.component && other.number > spec.number && other.operation !== "Check",
        ),
    freePlaces: places.freeFor,
    async pod(namespace, name, recordedUid, signal) {
      const cached = caches.pods.get(namespace, name);
      if (cached !== undefined || recordedUid === undefined) return cached;
      return client.find<Pod>(PODS, namespace, name, { signal });
    },
    podsOf: (namespace, run) => caches.pods.byIndex(BY.run, keyFor(namespace, run)),
    async isGone(namespace, run, signal) {
      return (await client.find<Run>(RUNS, namespace, run, { signal })) === undefined;
    },
    async hasPod(run, phase, signal) {
      return (await client.find<Pod>(PODS, run.metadata.namespace, podName(run, phase), { signal })) !== undefined;
    },
    async makePod(run, phase, signal) {
      places.take(run);
      let made: PodMade | undefined;
      try {
        made = await makePod(parts, run, phase, signal);
        return made;
      } finally {
        // Where the pods of one namespace cannot be made, nobody else has to wait for them.
        if (made?.type !== "made") places.giveBack(run);
      }
    },
    noteOverride: (run, environment, reason, signal) => noteOverride(parts, run, environment, reason, signal),
    async stopPod({ metadata }, signal) {
      await client.delete(PODS, metadata.namespace, metadata.name, { signal, preconditions: { uid: metadata.uid } });
    },
    releasePod: ({ metadata }, signal) => removeFinalizer(client, PODS, metadata, FINALIZERS.pod, signal),
    releaseRun: ({ metadata }, signal) => removeFinalizer(client, RUNS, metadata, FINALIZERS.run, signal),
    deleteEarlierPods: (run, signal) => deleteEarlierPods(client, caches, run, signal),
    endRun: (run, end, signal) =>
      endRun(store, stateKeyOf(run), endingOf(parts, run, signal), end, parts.clock.now(), signal),
    async heldSince(run, signal) {
      const record = (await store.record(stateKeyOf(run), signal))?.value;
      return record === undefined ? undefined : heldFor(record, { runUid: run.metadata.uid })?.at;
    },
    async hasReported(run, signal) {
      const record = (await store.record(stateKeyOf(run), signal))?.value;
      return record !== undefined && hasReported(record, run.metadata.uid);
    },
    async journalOf(run, signal) {
      const record = (await store.record(stateKeyOf(run), signal))?.value;
      if (record === undefined) return undefined;
      return summariseJournal(store, record, { run: run.metadata.name, isCutOff: true }, signal);
    },
    writeStatus: (run, status, signal) => writeStatus(client, run, status, signal),
    announceEnd(run, outcome) {
      const type = outcome.result === "Failed" || outcome.result === "Interrupted" ? "Warning" : "Normal";
      const { reason, message } = outcome;
      parts.events.record(referenceTo(RUNS, stored(run)), { type, reason, message: message === "" ? reason : message });
      parts.onClosed(run, outcome);
    },
  };
}

function endingOf({ client, caches }: RunParts, { metadata, spec }: Run, signal: AbortSignal): EndingRun {
  const { environment, number, operation } = spec;
  const known = caches.environments.get(metadata.namespace, environment.name);
  const request = known?.metadata.annotations?.[ANNOTATIONS.requestedAt];
  return {
    name: metadata.name,
    uid: metadata.uid,
    number,
    operation,
    environmentUid: environment.uid,
    ...(request === undefined ? {} : { request }),
    async isOrphaned() {
      const there = await client.find<Environment>(ENVIRONMENTS, metadata.namespace, environment.name, { signal });
      return there?.metadata.uid !== environment.uid;
    },
  };
}

async function makePod(parts: RunParts, run: Run, phase: RunPhaseName, signal: AbortSignal): Promise<PodMade> {
  const name = podName(run, phase);
  const order = signOrder(parts.ring, { runUid: run.metadata.uid, podName: name, phase });
  const wanted = podFor(run, phase, { order, gatewayUrl: parts.pod.gatewayUrl, gatewayCa: parts.pod.gatewayCa() });
  try {
    return { type: "made", pod: await parts.client.create<Pod>(PODS, wanted, { signal }) };
  } catch (error) {
    if (isRightMissing(error)) return { type: "rightMissing", message: error.message };
    if (isNotReadyYet(error)) throw error;
    const refused = isForbidden(error) || isInvalid(error) || isNotFound(error);
    const away = absentWebhook(error);
    if (!refused && away === undefined && !isAlreadyExists(error)) throw error;
    // A quota, or a webhook, stands before anybody looks whether the pod exists: it may be there from a creation whose answer was lost.
    const existing = await parts.client.find<Pod>(PODS, run.metadata.namespace, name, { signal });
    if (existing === undefined && away !== undefined) return { type: "hindered", webhook: away, error };
    if (existing === undefined && !refused) throw error;
    if (existing === undefined) return { type: "rejected", message: (error as Error).message };
    return isSameOrder(existing, wanted) ? { type: "made", pod: existing } : { type: "foreign", name };
  }
}

/** Nobody can sign an order beforehand, and the owner's UID ties it to this Run: such a pod is one that we made. */
function isSameOrder(existing: Stored<Pod>, wanted: Pod): boolean {
  return (
    existing.metadata.annotations?.[ANNOTATIONS.order] === wanted.metadata.annotations?.[ANNOTATIONS.order] &&
    existing.metadata.ownerReferences?.[0]?.uid === wanted.metadata.ownerReferences?.[0]?.uid
  );
}

async function noteOverride(
  { client, events }: RunParts,
  { metadata, spec }: Run,
  environment: Environment,
  reason: string,
  signal: AbortSignal,
): Promise<void> {
  const { uid, resourceVersion } = metadata;
  const patch = { metadata: { uid, resourceVersion, annotations: { [ANNOTATIONS.outsideWindows]: reason } } };
  try {
    await client.mergePatch(RUNS, metadata.namespace, metadata.name, patch, { signal });
  } catch (error) {
    if (isNotFound(error) || (isConflict(error) && (await hasChanged(client, RUNS, metadata, signal)))) return;
    throw error;
  }
  const message = `${spec.component}: Run ${spec.number} goes on ${overriddenText(reason)}`;
  events.record(environmentReference(environment), { type: "Warning", reason: "WindowOverridden", message });
}

async function deleteEarlierPods(client: Client, caches: Caches, run: Run, signal: AbortSignal): Promise<void> {
  const names = new Set(
    caches.runs
      .byIndex(BY.environmentUid, run.spec.environment.uid)
      .filter(
        (other) =>
          other.spec.component === run.spec.component && other.spec.number < run.spec.number && isClosed(other),
      )
      .flatMap((other) => [podName(other, "Plan"), podName(other, "Apply")]),
  );
  for (const { metadata } of caches.pods.byIndex(BY.environmentUid, run.spec.environment.uid)) {
    if (!names.has(metadata.name) || metadata.deletionTimestamp !== undefined) continue;
    const preconditions = { uid: metadata.uid };
    await client.delete(PODS, metadata.namespace, metadata.name, { signal, preconditions });
  }
}

/** The fields that the Run controller owns; the gateway owns the others. */
const OWN = [
  "observedGeneration",
  "phase",
  "conditions",
  "pods",
  "startedAt",
  "cancelRequestedAt",
  "finishedAt",
  "message",
  "expiresAt",
  "approvals",
] as const;

async function writeStatus(client: Client, run: Run, status: RunStatus, signal: AbortSignal): Promise<boolean> {
  const saysSo = OWN.every((field) => sameOnTheWire(run.status?.[field], status[field]));
  if (saysSo && (status.outcome === undefined || sameOnTheWire(run.status?.outcome, status.outcome))) return false;
  const { name, namespace, uid, resourceVersion } = run.metadata;
  try {
    await client.apply<KubeObject & { status: RunStatus }>(
      RUNS,
      { metadata: { name, namespace, uid, resourceVersion }, status },
      { signal, subresource: "status" },
    );
    return true;
  } catch (error) {
    if (isNotFound(error) || (isConflict(error) && (await hasChanged(client, RUNS, run.metadata, signal))))
      return false;
    throw error;
  }
}
