import type { Environment } from "../api/environment.ts";
import type { Source } from "../api/source.ts";
import { isExpired } from "../schedule/lifetime.ts";
import type { ComponentRecord } from "../storage/record.ts";
import { runnerOf, sourceOf } from "./desired.ts";
import type { FollowedSource, Observation } from "./observation.ts";
import type { EnvironmentPorts } from "./ports.ts";
import { watchedPaths } from "./watch.ts";

/** Gathers all that a decision may depend on, or nothing where the Environment is gone. */
export async function observe(
  namespace: string,
  name: string,
  ports: EnvironmentPorts,
  signal: AbortSignal,
): Promise<Observation | undefined> {
  const environment = ports.environment(namespace, name);
  if (environment === undefined) {
    ports.stopFollowing(namespace, name);
    return undefined;
  }
  const nowMs = ports.now().getTime();
  const deleting = environment.metadata.deletionTimestamp !== undefined;
  const ending = deleting || isExpired(environment, nowMs);
  const records = ending ? await ports.freshRecordsOf(namespace, name, signal) : ports.recordsOf(namespace, name);
  if (ending) ports.stopFollowing(namespace, name);
  else ports.follow(environment, gitSources(environment).map(followedIn(environment, records)));
  return {
    ...observed(environment, records, ports),
    nowMs,
    deletions: { together: deleting ? ports.deletedTogether(environment) : 0, limit: ports.usualDeletions },
    crdTerminating: deleting && (await ports.crdTerminating(signal)),
  };
}

/** The same from caches alone, for a question about one plan: nothing is begun by it. */
export function glance(environment: Environment, ports: EnvironmentPorts): Observation {
  const { namespace, name } = environment.metadata;
  return {
    ...observed(environment, ports.recordsOf(namespace, name), ports),
    nowMs: ports.now().getTime(),
    deletions: { together: 0, limit: 0 },
    crdTerminating: false,
  };
}

function observed(environment: Environment, records: readonly ComponentRecord[], ports: EnvironmentPorts) {
  const followed = followedIn(environment, records);
  return {
    environment,
    runs: ports.runsOf(environment),
    records,
    revisionOf: (source: Source) => ports.revisionOf(environment, followed(source)),
    catalogue: ports.catalogue,
  };
}

const followedIn = (environment: Environment, records: readonly ComponentRecord[]) => (source: Source) =>
  followedSource(environment, records, source);

function gitSources({ spec }: Environment): readonly Source[] {
  return spec.components.map((component) => sourceOf(spec, component)).filter(({ git }) => git !== undefined);
}

function followedSource(environment: Environment, records: readonly ComponentRecord[], source: Source): FollowedSource {
  return {
    source,
    credentials: newestLogin(records, source),
    usesOwnCa: usesOwnCa(environment, source),
    paths: watchedPaths(environment.spec, source),
  };
}

function usesOwnCa({ spec }: Environment, { git }: Source): boolean {
  const users = spec.components.filter((component) => sourceOf(spec, component).git?.url === git?.url);
  return users.some((component) => runnerOf(spec, component).caBundle !== undefined);
}

/** By the url that each was used for: what a record says is applied may be of another server. */
function newestLogin(records: readonly ComponentRecord[], { git }: Source): FollowedSource["credentials"] {
  if (git?.secretRef === undefined) return undefined;
  const [newest] = records
    .flatMap(({ sourceCredentials: login }) => (login?.url === git.url ? [login] : []))
    .sort((a, b) => (b.at ?? "").localeCompare(a.at ?? ""));
  return newest && { username: newest.username, password: newest.password };
}
