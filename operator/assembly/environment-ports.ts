import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS, API_VERSION, FINALIZERS, LABELS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import { isAlreadyExists } from "../cluster/errors.ts";
import type { Client, EventRecorder, KubeObject, StatusWriter } from "../cluster/ports.ts";
import { CUSTOM_RESOURCE_DEFINITIONS, ENVIRONMENTS, RUNS } from "../cluster/resources.ts";
import type { CatalogueEngine } from "../environment/desired.ts";
import { TOGETHER_MS } from "../environment/many-deletions.ts";
import type { EnvironmentPorts } from "../environment/ports.ts";
import type { Clock } from "../loop/clock.ts";
import { stateNameOf } from "../run/witness.ts";
import { noteRules } from "../storage/declared-rules.ts";
import type { KeyRing } from "../storage/key-ring.ts";
import { outputsOf } from "../storage/outputs.ts";
import { forget, release } from "../storage/ownership.ts";
import type { StateStore } from "../storage/port.ts";
import { rename } from "../storage/rename.ts";
import { BY, type Caches } from "./caches.ts";
import { environmentWrites, unlessGone } from "./environment-writes.ts";
import type { SourceFollowing } from "./following.ts";

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

/** What the Environment controller uses of the world, on a real cluster. */
export function environmentPorts(parts: EnvironmentParts): EnvironmentPorts {
  return { ...whatIsThere(parts), ...environmentWrites(parts), ...runWrites(parts), ...stateWrites(parts) };
}

type WhatIsThere =
  | "now"
  | "catalogue"
  | "usualDeletions"
  | "environment"
  | "runsOf"
  | "recordsOf"
  | "freshRecordsOf"
  | "deletedTogether"
  | "crdTerminating"
  | "follow"
  | "revisionOf"
  | "stopFollowing";

function whatIsThere(parts: EnvironmentParts): Pick<EnvironmentPorts, WhatIsThere> {
  const { client, caches, store, following } = parts;
  return {
    now: () => parts.clock.now(),
    catalogue: parts.catalogue,
    usualDeletions: parts.usualDeletions,
    environment: (namespace, name) => caches.environments.get(namespace, name),
    runsOf: ({ metadata }) => caches.runs.byIndex(BY.environmentUid, metadata.uid),
    recordsOf: (namespace, environment) => caches.records.recordsOf(namespace, environment),
    async freshRecordsOf(namespace, environment, signal) {
      return (await store.recordsOf(namespace, environment, signal)).map(({ value }) => value);
    },
    deletedTogether: (environment) => caches.environments.list().filter(togetherWith(environment)).length,
    async crdTerminating(signal) {
      const name = `${ENVIRONMENTS.plural}.${ENVIRONMENTS.group}`;
      const definition = await client.find<KubeObject>(CUSTOM_RESOURCE_DEFINITIONS, undefined, name, { signal });
      return definition?.metadata.deletionTimestamp !== undefined;
    },
    follow: following.follow,
    revisionOf: following.revisionOf,
    stopFollowing: following.stop,
  };
}

type RunWrites = "createRun" | "supersedeRun" | "deleteRun";

function runWrites({ client }: EnvironmentParts): Pick<EnvironmentPorts, RunWrites> {
  return {
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
  };
}

type StateWrites = "noteRules" | "renameState" | "releaseState" | "forgetState" | "outputsOf";

function stateWrites({ client, caches, store, ring }: EnvironmentParts): Pick<EnvironmentPorts, StateWrites> {
  return {
    async renameState(from, to, signal) {
      const uid = caches.environments.get(from.namespace, from.environment)?.metadata.uid;
      if (uid === undefined) return;
      const runs = caches.runs.byIndex(BY.environmentUid, uid).filter((run) => stateNameOf(run) === from.component);
      const annotations = { [ANNOTATIONS.movedTo]: to.component, [ANNOTATIONS.stateName]: to.component };
      const patch = { metadata: { annotations } };
      // Before it: once the state has moved, nothing would bring anybody here again.
      const beforeMove = async () => {
        for (const { metadata } of runs)
          await client.mergePatch(RUNS, from.namespace, metadata.name, patch, { signal });
      };
      await rename(store, from, to, uid, { beforeMove, signal });
    },
    noteRules: (key, environmentUid, rules, signal) => noteRules(store, key, environmentUid, rules, signal),
    releaseState: (key, environmentUid, signal) => release(store, key, environmentUid, signal),
    async forgetState(key, environmentUid, signal) {
      await forget(store, key, environmentUid, signal);
    },
    async outputsOf(key, signal) {
      const record = (await store.record(key, signal))?.value;
      return record === undefined ? [] : outputsOf(store, ring, record, signal);
    },
  };
}

function togetherWith({ metadata }: Environment): (other: Environment) => boolean {
  const deletedAt = Date.parse(metadata.deletionTimestamp ?? "");
  return (other) => Math.abs(Date.parse(other.metadata.deletionTimestamp ?? "") - deletedAt) <= TOGETHER_MS;
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
