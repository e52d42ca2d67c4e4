import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS, API_VERSION, FINALIZERS, LABELS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from "../cluster/errors.ts";
import type { Client, EventRecorder, KubeObject, StatusWriter, Stored } from "../cluster/ports.ts";
import { CUSTOM_RESOURCE_DEFINITIONS, ENVIRONMENTS, RUNS, referenceTo } from "../cluster/resources.ts";
import type { CatalogueEngine } from "../environment/desired.ts";
import { TOGETHER_MS } from "../environment/many-deletions.ts";
import type { EnvironmentPorts } from "../environment/ports.ts";
import type { Clock } from "../loop/clock.ts";
import type { KeyRing } from "../storage/key-ring.ts";
import { outputsOf } from "../storage/outputs.ts";
import { forget, release } from "../storage/ownership.ts";
import type { StateStore } from "../storage/port.ts";
import { rename } from "../storage/rename.ts";
import { BY, type CachedEnvironment, type Caches } from "./caches.ts";
import { addFinalizer, removeFinalizer } from "./finalizers.ts";
import type { SourceFollowing } from "./following.ts";
import { writeOutputs } from "./output-objects.ts";

export interface EnvironmentParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly caches: Caches;
  readonly store: StateStore;
  readonly ring: KeyRing;
  readonly catalogue: readonly CatalogueEngine[];
  readonly usualDeletions: number;
  readonly events: EventRecorder;
  readonly statuses: StatusWriter;
  readonly following: SourceFollowing;
}

/** A custom resource, said to be one of the API server's: our type of its metadata is narrower than what is there. */
const stored = (environment: Environment) => environment as Stored<CachedEnvironment>;

export const environmentReference = (environment: Environment) => referenceTo(ENVIRONMENTS, stored(environment));

/** What the Environment controller uses of the world, on a real cluster. */
export function environmentPorts(parts: EnvironmentParts): EnvironmentPorts {
  const { client, caches, store, ring, following } = parts;
  return {
    now: () => parts.clock.now(),
    catalogue: parts.catalogue,
    usualDeletions: parts.usualDeletions,
    environment: (namespace, name) => caches.environments.get(namespace, name),
    runsOf: ({ metadata }) => caches.runs.byIndex(BY.environmentUid, metadata.uid),
    recordsOf: (namespace, environment) => caches.records.recordsOf(namespace, environment),
    deletedTogether: (environment) => caches.environments.list().filter(togetherWith(environment)).length,
    follow: following.follow,
    revisionOf: following.revisionOf,
    stopFollowing: following.stop,

    async crdTerminating(signal) {
      const name = `${ENVIRONMENTS.plural}.${ENVIRONMENTS.group}`;
      const definition = await client.find<KubeObject>(CUSTOM_RESOURCE_DEFINITIONS, undefined, name, { signal });
      return definition?.metadata.deletionTimestamp !== undefined;
    },
    async freshRecordsOf(namespace, environment, signal) {
      return (await store.recordsOf(namespace, environment, signal)).map(({ value }) => value);
    },
    setFinalizer: (environment, present, signal) => setFinalizer(client, environment, present, signal),
    async setConfirmations({ metadata }, names, signal) {
      const value = names.length === 0 ? null : names.join(",");
      const patch = { metadata: { uid: metadata.uid, annotations: { [ANNOTATIONS.confirmDestroy]: value } } };
      await client.mergePatch(ENVIRONMENTS, metadata.namespace, metadata.name, patch, { signal });
    },
    async deleteEnvironment({ metadata }, signal) {
      const { uid, resourceVersion } = metadata;
      const preconditions = { uid, resourceVersion };
      try {
        await client.delete(ENVIRONMENTS, metadata.namespace, metadata.name, { signal, preconditions });
      } catch (error) {
        // Its life may just have been extended.
        if (!isConflict(error)) throw error;
      }
    },
    async withdrawOverride({ metadata }, signal) {
      const { uid, resourceVersion } = metadata;
      const patch = { metadata: { uid, resourceVersion, annotations: { [ANNOTATIONS.windowOverride]: null } } };
      try {
        await client.mergePatch(ENVIRONMENTS, metadata.namespace, metadata.name, patch, { signal });
      } catch (error) {
        // Somebody has written meanwhile, perhaps another reason: the next round looks at what it is now.
        if (!isConflict(error)) throw error;
      }
    },
    async withdrawCancel({ metadata }, run, signal) {
      const path = `/metadata/annotations/${ANNOTATIONS.cancel.replaceAll("/", "~1")}`;
      const patch = [
        { op: "test", path: "/metadata/uid", value: metadata.uid },
        { op: "test", path, value: run },
        { op: "remove", path },
      ] as const;
      // 422: it is gone, or names another Run by now.
      await client.jsonPatch(ENVIRONMENTS, metadata.namespace, metadata.name, patch, { signal }).catch(unlessInvalid);
    },
    async createRun(environment, name, spec, signal) {
      try {
        await client.create<KubeObject & { spec: unknown }>(RUNS, runObject(environment, name, spec), { signal });
      } catch (error) {
        // The same decision was made before, from an older cache or by a process that died after it.
        if (!isAlreadyExists(error)) throw error;
      }
    },
    async supersedeRun({ metadata }, why, signal) {
      if (metadata.annotations?.[ANNOTATIONS.superseded] !== undefined) return;
      const patch = { metadata: { uid: metadata.uid, annotations: { [ANNOTATIONS.superseded]: why } } };
      await client.mergePatch(RUNS, metadata.namespace, metadata.name, patch, { signal }).catch(unlessGone);
    },
    async deleteRun({ metadata }, signal) {
      const preconditions = { uid: metadata.uid };
      await client.delete(RUNS, metadata.namespace, metadata.name, { signal, preconditions });
    },
    async renameState(from, to, signal) {
      const uid = caches.environments.get(from.namespace, from.environment)?.metadata.uid;
      if (uid === undefined) return;
      // The Runs first: once the state has moved, nothing would bring anybody here again.
      for (const run of caches.runs.byIndex(BY.environmentUid, uid)) {
        if (run.spec.component !== from.component) continue;
        const patch = { metadata: { annotations: { [ANNOTATIONS.movedTo]: to.component } } };
        await client.mergePatch(RUNS, from.namespace, run.metadata.name, patch, { signal });
      }
      await rename(store, from, to, uid, signal);
    },
    releaseState: (key, environmentUid, signal) => release(store, key, environmentUid, signal),
    async forgetState(key, environmentUid, signal) {
      await forget(store, key, environmentUid, signal);
    },
    async outputsOf(key, signal) {
      const record = (await store.record(key, signal))?.value;
      return record === undefined ? [] : outputsOf(store, ring, record, signal);
    },
    writeOutputs: (environment, outputs, signal) => writeOutputs(client, environment, outputs, signal),
    writeStatus: (environment, status, signal) =>
      parts.statuses.write<CachedEnvironment>(ENVIRONMENTS, stored(environment), status, { signal }).catch(unlessGone),
    event(environment, type, reason, message) {
      parts.events.record(environmentReference(environment), { type, reason, message });
    },
  };
}

function togetherWith({ metadata }: Environment): (other: Environment) => boolean {
  const deletedAt = Date.parse(metadata.deletionTimestamp ?? "");
  return (other) => Math.abs(Date.parse(other.metadata.deletionTimestamp ?? "") - deletedAt) <= TOGETHER_MS;
}

/** An object that went away meanwhile has no status to write. */
function unlessGone(error: unknown): false {
  if (isNotFound(error)) return false;
  throw error;
}

function unlessInvalid(error: unknown): undefined {
  if (isInvalid(error) || isNotFound(error)) return undefined;
  throw error;
}

async function setFinalizer(client: Client, { metadata }: Environment, present: boolean, signal: AbortSignal) {
  const change = present ? addFinalizer : removeFinalizer;
  await change(client, ENVIRONMENTS, metadata, FINALIZERS.environment, signal);
}

function runObject(environment: Environment, name: string, spec: Run["spec"]) {
  const { namespace, name: environmentName, uid } = environment.metadata;
  return {
    metadata: {
      name,
      namespace,
      // A Check has nothing that would have to be released before it may go.
      ...(spec.operation === "Check" ? {} : { finalizers: [FINALIZERS.run] }),
      labels: {
        [LABELS.environment]: environmentName,
        [LABELS.environmentUid]: uid,
        [LABELS.component]: spec.component,
      },
      ownerReferences: [{ apiVersion: API_VERSION, kind: "Environment", name: environmentName, uid, controller: true }],
    },
    spec,
  };
}
