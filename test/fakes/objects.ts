import type { Component } from "../../operator/api/component.ts";
import type { Environment, EnvironmentSpec } from "../../operator/api/environment.ts";
import { API_VERSION, FINALIZERS } from "../../operator/api/names.ts";
import type { Run, RunSpec } from "../../operator/api/run.ts";
import type { OutputRecord, RunOutcome, RunStatus } from "../../operator/api/run-status.ts";
import type { Lifetime } from "../../operator/api/time.ts";
import type { CatalogueEngine } from "../../operator/environment/desired.ts";
import { runName } from "../../operator/environment/run-name.ts";
import { closedPhase } from "../../operator/run/ending.ts";
import type { Applied, ComponentRecord } from "../../operator/storage/record.ts";

/** Objects with sensible defaults, for tests that say only what matters to them. */

export const T0 = Date.parse("2026-01-01T00:00:00Z");

export const CATALOGUE: readonly CatalogueEngine[] = [
  { name: "opentofu", version: "1.12", image: "runner@sha256:0a", default: true },
  { name: "terraform", version: "1.5", image: "runner@sha256:0b" },
];

/** As a kubelet tells what a tag of the catalogue was. */
export const RUNNER_IMAGE_ID = `registry.example.com/runner@sha256:${"0a".repeat(32)}`;

export function aComponent(
  name: string,
  more: Partial<Component> & { readonly needs?: readonly string[] } = {},
): Component {
  const { needs, ...rest } = more;
  return {
    name,
    ...(needs === undefined ? {} : { dependsOn: [...needs] }),
    terraform: { path: "." },
    ...rest,
  };
}

export interface EnvironmentOptions {
  readonly spec?: Partial<EnvironmentSpec>;
  readonly metadata?: Partial<Environment["metadata"]>;
  readonly status?: Environment["status"];
}

export function anEnvironment(components: readonly Component[], options: EnvironmentOptions = {}): Environment {
  return {
    apiVersion: API_VERSION,
    kind: "Environment",
    metadata: {
      name: "shop",
      namespace: "team",
      uid: "env-uid",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: new Date(T0).toISOString(),
      finalizers: [FINALIZERS.environment],
      ...options.metadata,
    },
    spec: {
      engine: { name: "opentofu" },
      source: { inline: { "main.tf": "" } },
      components: [...components],
      suspend: false,
      ...options.spec,
    },
    ...(options.status === undefined ? {} : { status: options.status }),
  };
}

/** A day to live from `anEnvironment`'s creation, unless told otherwise. */
export function aLifetime(
  more: Omit<Partial<Lifetime>, "then"> = {},
  whatThen: Lifetime["then"] = "Destroy",
): Lifetime {
  const end = more.until === undefined ? { ttl: "24h" } : {};
  // biome-ignore lint/suspicious/noThenProperty: a word of the API, whose value is never a function.
  return { ...end, warnBefore: "1h", then: whatThen, ...more };
}

export function aRun(spec: RunSpec, status?: RunStatus, more: Partial<Run["metadata"]> = {}): Run {
  return {
    apiVersion: API_VERSION,
    kind: "Run",
    metadata: {
      name: runName(spec),
      namespace: "team",
      uid: `${spec.component}-${spec.number}`,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: new Date(T0).toISOString(),
      finalizers: [],
      ...more,
    },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

/** The same Run after it ended so. */
export function ended(
  run: Run,
  outcome: Partial<RunOutcome> & Pick<RunOutcome, "result">,
  finishedMs: number = T0,
): Run {
  const whole: RunOutcome = {
    reason: outcome.result === "Failed" ? "ApplyFailed" : "Applied",
    message: "",
    ...outcome,
  };
  return {
    ...run,
    status: {
      ...run.status,
      observedGeneration: 1,
      phase: closedPhase(whole),
      finishedAt: new Date(finishedMs).toISOString(),
      outcome: whole,
    },
  };
}

export const anOutput = (name: string, digest = `digest-of-${name}`): OutputRecord => ({
  name,
  sensitive: false,
  digest,
});

export function appliedBy(run: Run, outputs: readonly OutputRecord[] = []): Applied {
  const { spec } = run;
  return {
    desiredDigest: spec.desiredDigest,
    run: run.metadata.name,
    runUid: run.metadata.uid,
    number: spec.number,
    at: new Date(T0).toISOString(),
    ...(spec.inputs.revision === undefined ? {} : { revision: spec.inputs.revision }),
    engine: spec.engine,
    inputs: spec.inputs,
    archive: { id: "archive", kind: "archive", digest: "sha256:00", size: 1, chunks: 1 },
    outputs,
    ...(spec.request === undefined ? {} : { request: spec.request }),
  };
}

export function aRecord(component: string, more: Partial<ComponentRecord> = {}): ComponentRecord {
  return {
    key: { namespace: "team", environment: "shop", component },
    storageId: `storage-${component}`,
    owner: { environmentUid: "env-uid" },
    ownership: "Owned",
    createdAt: new Date(T0).toISOString(),
    history: [],
    mayHoldObjects: true,
    ...more,
  };
}
