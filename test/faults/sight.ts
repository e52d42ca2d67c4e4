import assert from "node:assert/strict";
import type { Environment } from "../../operator/api/environment.ts";
import type { Run } from "../../operator/api/run.ts";
import type { WatchTiming } from "../../operator/assembly/caches.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Cache, Client, KubeObject, Resource, Stored } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS, PODS, RUNS } from "../../operator/cluster/resources.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { createReflector } from "../../operator/loop/reflector.ts";
import { violationsBetween, violationsOf } from "../fakes/kstatus.ts";

type SeenEnvironment = Environment & KubeObject;
type SeenRun = Run & KubeObject;

/** What the tests themselves see, on watches of all namespaces on which nothing goes wrong: nothing that was ever made is missed. */
export interface Sight {
  readonly pods: Cache<Pod>;
  of(namespace: string): View;
  stop(): Promise<void>;
}

/** One story's part of it. */
export interface View {
  environment(name: string): Environment | undefined;
  runs(): readonly Run[];
  pods(): readonly Stored<Pod>[];
  /** Runs and pods that were ever made. */
  everMade(): { readonly runs: number; readonly pods: number };
  /** Looks after every change until it is so. A look that throws ends the wait, and so does a status that breaks a rule of kstatus. */
  awaited(what: string, condition: () => boolean, limitMs?: number): Promise<void>;
}

const BY_NAMESPACE = "namespace";

export async function openSight(client: Client, timing: WatchTiming): Promise<Sight> {
  const stop = new AbortController();
  const look = <T extends KubeObject>(resource: Resource) =>
    createReflector<T>({
      ...timing,
      client,
      resource,
      clock: systemClock,
      indexes: { [BY_NAMESPACE]: ({ metadata }) => [metadata.namespace ?? ""] },
    });
  const environments = look<SeenEnvironment>(ENVIRONMENTS);
  const runs = look<SeenRun>(RUNS);
  const pods = look<Pod>(PODS);
  const all = [environments, runs, pods] as const;
  const broken = [rulesBrokenIn(environments, "Environment"), rulesBrokenIn(runs, "Run")];
  const made = { runs: everIn(runs), pods: everIn(pods) };
  const running = all.map((one) => one.run(stop.signal));
  await Promise.all(all.map((one) => one.synced()));
  const onChange = (heard: () => void): (() => void) => {
    const forget = all.map((one) => one.onChange(heard));
    return () => {
      for (const one of forget) one();
    };
  };
  return {
    pods,
    of: (namespace) => ({
      environment: (name) => environments.get(namespace, name),
      runs: () => runs.byIndex(BY_NAMESPACE, namespace),
      pods: () => pods.byIndex(BY_NAMESPACE, namespace),
      everMade: () => ({ runs: made.runs(namespace), pods: made.pods(namespace) }),
      awaited(what, condition, limitMs = 60_000) {
        const checked = () => {
          assert.deepEqual(
            broken.flatMap((ofKind) => ofKind(namespace)),
            [],
          );
          return condition();
        };
        return awaited(onChange, what, checked, limitMs);
      },
    }),
    async stop() {
      stop.abort();
      await Promise.all(running);
    },
  };
}

/** Counts UIDs: whatever comes again under its old name counts again. */
function everIn(cache: Pick<Cache<KubeObject>, "onChange">): (namespace: string) => number {
  const seen = new Map<string, Set<string>>();
  cache.onChange((_old, now) => {
    if (now === undefined) return;
    const { namespace = "", uid } = now.metadata;
    seen.set(namespace, (seen.get(namespace) ?? new Set()).add(uid));
  });
  return (namespace) => seen.get(namespace)?.size ?? 0;
}

/**
 * Not where it was made anew, nor where etcd was put back to an earlier day. Versions count on from there, and may have passed the one that was seen
 * last before anybody looks again; what was declared since that day is gone.
 */
const follows = ({ metadata: now }: KubeObject, { metadata: old }: KubeObject): boolean =>
  now.uid === old.uid &&
  Number(now.resourceVersion) > Number(old.resourceVersion) &&
  (now.generation ?? 0) >= (old.generation ?? 0);

/** In what was ever seen, by namespace. */
function rulesBrokenIn(
  cache: Pick<Cache<SeenEnvironment | SeenRun>, "onChange">,
  kind: string,
): (namespace: string) => readonly string[] {
  const broken = new Map<string, string[]>();
  cache.onChange((old, now) => {
    if (now === undefined) return;
    const before = old !== undefined && follows(now, old) ? { ...old, kind } : undefined;
    const after = { ...now, kind };
    const { namespace = "", name, resourceVersion } = now.metadata;
    const found = [...violationsOf(after), ...violationsBetween(before, after)];
    const told = found.map((what) => `${kind} ${name}, version ${resourceVersion}: ${what}`);
    broken.set(namespace, [...(broken.get(namespace) ?? []), ...told]);
  });
  return (namespace) => broken.get(namespace) ?? [];
}

function awaited(
  onChange: (heard: () => void) => () => void,
  what: string,
  condition: () => boolean,
  limitMs: number,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => {
    try {
      if (condition()) resolve();
    } catch (error) {
      reject(error);
    }
  };
  const limit = setTimeout(
    () => reject(new assert.AssertionError({ message: `not within ${limitMs} ms: ${what}` })),
    limitMs,
  );
  const forget = onChange(look);
  look();
  return promise.finally(() => {
    clearTimeout(limit);
    forget();
  });
}
