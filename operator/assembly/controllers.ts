import { LABELS } from "../api/names.ts";
import { isClosed } from "../environment/observation.ts";
import type { EnvironmentPorts } from "../environment/ports.ts";
import { reconcileEnvironment } from "../environment/reconcile.ts";
import type { Clock } from "../loop/clock.ts";
import { type Controller, createController, type Source, sourceOf } from "../loop/controller.ts";
import { keyFor, keyOf, splitKey } from "../loop/keys.ts";
import { isWaitingForPeople } from "../run/phase.ts";
import type { RunPorts } from "../run/ports.ts";
import { reconcileRun } from "../run/reconcile.ts";
import type { StateKey } from "../storage/record.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { BY, type CachedRun, type Caches, checkedComponent, PLACE } from "./caches.ts";

const WORKERS = { environments: 8, runs: 16 } as const;

export interface ControllerParts {
  readonly clock: Clock;
  /** Spreads what failed together; `Math.random` unless told. */
  readonly random?: () => number;
  readonly caches: Caches;
  readonly metrics: Pick<Metrics, "queueHooks">;
  readonly environment: EnvironmentPorts;
  readonly run: RunPorts;
  /** Checks that have a pod at the same time. */
  readonly maxChecks: number;
  readonly onFailure: (queue: string, key: string, error: unknown) => void;
}

/** An Environment is looked at again whenever it, one of its Runs, or one of its records changes. */
export function environmentController(parts: ControllerParts): Controller {
  const { caches } = parts;
  return createController({
    ...timing(parts),
    workers: WORKERS.environments,
    hooks: hooksFor("environments", parts),
    sources: [
      sourceOf(caches.environments, (environment) => [keyOf(environment)]),
      sourceOf(caches.runs, (run) => [keyFor(run.metadata.namespace, run.spec.environment.name)]),
      recordChanges(caches, ({ namespace, environment }) => [keyFor(namespace, environment)]),
    ],
    reconcile(key, signal) {
      const { namespace, name } = splitKey(key);
      return reconcileEnvironment(namespace, name, parts.environment, signal);
    },
  });
}

function recordChanges({ records }: Caches, keysFor: (key: StateKey) => readonly string[]): Source {
  return {
    // Without it, whatever is applied would look for a moment as if it were not.
    synced: (signal) => records.synced(signal),
    subscribe(enqueue) {
      records.onChange((key) => {
        for (const one of keysFor(key)) enqueue(one);
      });
      return () => {};
    },
  };
}

/** A Run is looked at again whenever it, an Approval of it, its pod, its Environment, or its node changes, or a place becomes free. */
export function runController(parts: ControllerParts): Controller {
  const { caches } = parts;
  const keysOfOpen = (runs: readonly CachedRun[]) => runs.filter((run) => !isClosed(run)).map(keyOf);
  return createController({
    ...timing(parts),
    workers: WORKERS.runs,
    hooks: hooksFor("runs", parts),
    sources: [
      // A change that begins ends the Checks of its component.
      sourceOf(caches.runs, (run) => [keyOf(run), ...overtakenBy(caches, run)]),
      // A plan that waits may be held back by what its component needs: by records, and by Runs, whose ends it hears of as freed places.
      recordChanges(caches, ({ namespace, environment }) => waitingIn(caches, namespace, environment)),
      freedPlaces(caches.runs, parts.maxChecks),
      sourceOf(caches.approvals, ({ metadata, spec }) => [keyFor(metadata.namespace, spec.run.name)]),
      sourceOf(caches.pods, ({ metadata }) => [keyFor(metadata.namespace, metadata.labels?.[LABELS.run] ?? "")]),
      sourceOf(caches.environments, ({ metadata }) => keysOfOpen(caches.runs.byIndex(BY.environmentUid, metadata.uid))),
      sourceOf(caches.nodes, ({ metadata }) => runsOnNode(caches, metadata.name)),
    ],
    reconcile(key, signal) {
      const { namespace, name } = splitKey(key);
      return reconcileRun(namespace, name, parts.run, signal);
    },
  });
}

const timing = ({ clock, random }: ControllerParts) => ({ clock, ...(random === undefined ? {} : { random }) });

/** Whoever waits for a place, or for people, hears of each that becomes free: when an open Run closes, goes, or begins to wait for people; not when a closed one is seen. */
function freedPlaces(runs: Caches["runs"], maxChecks: number): Source {
  return {
    synced: (signal) => runs.synced(signal),
    subscribe: (enqueue) =>
      runs.onChange((old, now) => {
        if (old?.spec.operation === "Check") {
          const closes = !isClosed(old) && (now === undefined || isClosed(now));
          // Those that have waited longest: a whole fleet may wait, and few can go on.
          const woken = closes ? oldest(runs.byIndex(BY.place, PLACE.check), 2 * maxChecks) : [];
          for (const run of woken) enqueue(keyOf(run));
          return;
        }
        if (old === undefined || isClosed(old)) return;
        // Also without a pod: a place is taken before the pod is asked for, which Kubernetes may refuse.
        const closes = now === undefined || isClosed(now);
        const freed = closes || (isWaitingForPeople(now) && !isWaitingForPeople(old));
        if (freed) for (const run of runs.byIndex(BY.place, PLACE.awaited)) enqueue(keyOf(run));
      }),
  };
}

const waitingIn = ({ runs }: Caches, namespace: string, environment: string): readonly string[] =>
  runs.byIndex(BY.waiting, keyFor(namespace, environment)).map(keyOf);

function overtakenBy({ runs }: Caches, run: CachedRun): readonly string[] {
  return run.spec.operation === "Check" ? [] : runs.byIndex(BY.openCheck, checkedComponent(run)).map(keyOf);
}

/** Those that have a place already are among them. */
function oldest(runs: readonly CachedRun[], count: number): readonly CachedRun[] {
  const age = ({ metadata }: CachedRun) => metadata.creationTimestamp ?? "";
  return runs.toSorted((a, b) => (age(a) < age(b) ? -1 : Number(age(a) > age(b)))).slice(0, count);
}

function runsOnNode(caches: Caches, node: string): readonly string[] {
  return caches.pods
    .byIndex(BY.node, node)
    .map(({ metadata }) => keyFor(metadata.namespace, metadata.labels?.[LABELS.run] ?? ""));
}

function hooksFor(queue: string, { metrics, onFailure }: ControllerParts) {
  const { onDone, onRetry } = metrics.queueHooks(queue);
  return {
    onDone,
    onRetry(key: string, _failures: number, _afterMs: number, error: unknown) {
      onRetry();
      onFailure(queue, key, error);
    },
  };
}
