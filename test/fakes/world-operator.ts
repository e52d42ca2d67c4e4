import {
  APPROVAL_INDEXES,
  type CachedApproval,
  type CachedEnvironment,
  type CachedRun,
  knownIn,
  POD_INDEXES,
  RUN_INDEXES,
} from "../../operator/assembly/caches.ts";
import { environmentController, runController } from "../../operator/assembly/controllers.ts";
import { environmentPorts } from "../../operator/assembly/environment-ports.ts";
import { createFollowing } from "../../operator/assembly/following.ts";
import { standingInCaches } from "../../operator/assembly/plan-standing.ts";
import { runPorts } from "../../operator/assembly/run-ports.ts";
import type { Node, Pod } from "../../operator/cluster/kinds.ts";
import type { Client } from "../../operator/cluster/ports.ts";
import { APPROVALS, ENVIRONMENTS, NODES, PODS, RUNS } from "../../operator/cluster/resources.ts";
import { createStatusWriter } from "../../operator/cluster/status.ts";
import type { Known } from "../../operator/gateway/known.ts";
import { keyOf } from "../../operator/loop/keys.ts";
import type { KeyRing } from "../../operator/storage/key-ring.ts";
import type { StateStore } from "../../operator/storage/port.ts";
import { CATALOGUE } from "./objects.ts";
import type { WorldApi } from "./world-api.ts";
import { type Lagging, laggingCache, laggingRecords, type RecordLog } from "./world-caches.ts";
import type { WorldClock } from "./world-clock.ts";
import type { Mortal, Turns } from "./world-turns.ts";

export interface OperatorParts {
  readonly api: WorldApi;
  readonly clock: WorldClock;
  readonly random: () => number;
  readonly turns: Turns;
  readonly ring: KeyRing;
  readonly records: RecordLog;
  readonly self: Mortal;
  readonly client: Client;
  readonly store: StateStore;
  readonly maxRuns: number;
  readonly maxChecks: number;
  readonly tell: (line: string) => void;
  readonly onError: (error: unknown) => void;
}

/** One life of the leading replica: the real controllers with their real ports, on caches of its own. */
export interface OperatorProcess {
  readonly self: Mortal;
  readonly caches: readonly Lagging[];
  /** What a gateway in the same process may take from them. */
  readonly known: Known;
  /** Rounds that wait in its queues. */
  ready(): number;
  /** Looks at everything once more, as after a relist. */
  lookAgain(): void;
  /** Another one leads: nothing is begun any more, and what is on its way may arrive late. */
  freeze(): void;
  end(): void;
}

export function startOperatorProcess(parts: OperatorParts): OperatorProcess {
  const { api, clock, turns, self, client, store, ring } = parts;
  const environments = laggingCache<CachedEnvironment>(api, ENVIRONMENTS.plural);
  const runs = laggingCache<CachedRun>(api, RUNS.plural, RUN_INDEXES);
  const approvals = laggingCache<CachedApproval>(api, APPROVALS.plural, APPROVAL_INDEXES);
  const pods = laggingCache<Pod>(api, PODS.plural, POD_INDEXES);
  const nodes = laggingCache<Node>(api, NODES.plural);
  const records = laggingRecords(parts.records);
  const caches = { environments, runs, approvals, pods, nodes, records, all: [] };
  const events = {
    record: (
      about: { readonly name: string },
      { reason, message }: { readonly reason: string; readonly message: string },
    ) => parts.tell(`event ${about.name}: ${reason}: ${message}`),
    flush: () => Promise.resolve(),
  };
  const shared = { client, clock, caches, store, ring, events };
  const environment = environmentPorts({
    ...shared,
    catalogue: CATALOGUE,
    usualDeletions: 0,
    statuses: createStatusWriter(client),
    following: createFollowing(undefined),
  });
  const controllerParts = {
    clock,
    random: parts.random,
    caches,
    maxChecks: parts.maxChecks,
    metrics: { queueHooks: () => ({ onDone: () => {}, onRetry: () => {} }) },
    environment,
    run: runPorts({
      ...shared,
      standingOf: standingInCaches(environment),
      maxRuns: parts.maxRuns,
      maxChecks: parts.maxChecks,
      pod: { gatewayUrl: "https://gateway.test", gatewayCa: () => "certificates" },
      onClosed: () => {},
    }),
    onFailure: (_queue: string, _key: string, error: unknown) => parts.onError(error),
  };
  const controllers = [environmentController(controllerParts), runController(controllerParts)] as const;
  const [environmentQueue, runQueue] = controllers;
  const stop = new AbortController();
  for (const controller of controllers) {
    turns.alsoCount(() => controller.measure().busy);
    void controller.run(stop.signal);
  }
  const lookAgain = (): void => {
    for (const environment of environments.list()) environmentQueue.add(keyOf(environment));
    for (const run of runs.list()) runQueue.add(keyOf(run));
  };
  lookAgain();
  return {
    self,
    caches: [environments, runs, approvals, pods, nodes, records],
    known: knownIn(caches),
    ready: () => controllers.reduce((sum, controller) => sum + controller.measure().ready, 0),
    lookAgain,
    freeze() {
      self.freeze();
      stop.abort();
    },
    end() {
      self.kill();
      stop.abort();
    },
  };
}
