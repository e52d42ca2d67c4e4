import type { Environment } from "../api/environment.ts";
import { durationMs } from "../api/fields.ts";
import { ANNOTATIONS } from "../api/names.ts";
import type { FollowedSource, RevisionSeen } from "../environment/observation.ts";
import { keyFor, keyOf } from "../loop/keys.ts";
import type { Follower, SourceRef } from "../resolver/follower.ts";

/** Which sources are followed for which Environment, and what is known about them. */
export interface SourceFollowing {
  follow(environment: Environment, sources: readonly FollowedSource[]): void;
  revisionOf(source: FollowedSource): RevisionSeen;
  stop(namespace: string, name: string): void;
}

/** Without a resolver, or without the means that a private repository needs, the runner looks the ref up. */
function refOf({ source, credentials, usesOwnCa, paths }: FollowedSource): SourceRef | undefined {
  const { git } = source;
  if (git === undefined || usesOwnCa || (git.secretRef !== undefined && credentials === undefined)) return undefined;
  return {
    url: git.url,
    intervalMs: durationMs(git.interval),
    ...(git.ref === undefined ? {} : { ref: git.ref }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(paths.length === 0 ? {} : { paths }),
  };
}

export function createFollowing(follower: Follower | undefined): SourceFollowing {
  /** The last request for a fresh look that was passed on, by Environment. */
  const refreshed = new Map<string, string>();
  return {
    follow(environment, sources) {
      if (follower === undefined) return;
      const key = keyOf(environment);
      const wanted = sources.flatMap((source) => refOf(source) ?? []);
      for (const source of wanted) follower.want(key, source);
      follower.retain(key, wanted);
      const request = environment.metadata.annotations?.[ANNOTATIONS.requestedAt];
      if (request === undefined || refreshed.get(key) === request) return;
      refreshed.set(key, request);
      void follower.refresh(key);
    },
    revisionOf(source) {
      const { git } = source.source;
      if (git?.ref?.commit !== undefined) return { state: "known", revision: git.ref.commit };
      const ref = refOf(source);
      if (follower === undefined || ref === undefined) return { state: "unfollowed" };
      return follower.revision(ref);
    },
    stop(namespace, name) {
      const key = keyFor(namespace, name);
      refreshed.delete(key);
      follower?.forget(key);
    },
  };
}
