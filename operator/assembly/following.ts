import type { Environment } from "../api/environment.ts";
import { durationMs } from "../api/fields.ts";
import { ANNOTATIONS } from "../api/names.ts";
import type { FollowedSource, RevisionSeen } from "../environment/observation.ts";
import { keyFor, keyOf } from "../loop/keys.ts";
import type { Follower, SourceRef } from "../resolver/follower.ts";

/** Which sources are followed for which Environment, and what is known about them. */
export interface SourceFollowing {
  follow(environment: Environment, sources: readonly FollowedSource[]): void;
  revisionOf(environment: Environment, source: FollowedSource): RevisionSeen;
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

/** `onLooked` hears when a look that was asked for is over, also where it has found nothing new. */
export function createFollowing(
  follower: Follower | undefined,
  onLooked: (environmentKey: string) => void = () => {},
): SourceFollowing {
  /** The last request for a fresh look that was passed on, by Environment. */
  const looks = new Map<string, { readonly request: string; isOver: boolean }>();
  return {
    follow(environment, sources) {
      if (follower === undefined) return;
      const key = keyOf(environment);
      const wanted = sources.flatMap((source) => refOf(source) ?? []);
      for (const source of wanted) follower.want(key, source);
      follower.retain(key, wanted);
      const request = environment.metadata.annotations?.[ANNOTATIONS.requestedAt];
      if (request === undefined || looks.get(key)?.request === request) return;
      // Handled before this operator began: every source is new to it, and what it knows of any is fresh.
      const look = { request, isOver: environment.status?.handledRequest === request };
      looks.set(key, look);
      void follower.refresh(key).then(() => {
        look.isOver = true;
        if (looks.get(key) === look) onLooked(key);
      });
    },
    revisionOf(environment, source) {
      const { git } = source.source;
      if (git?.ref?.commit !== undefined) return { state: "known", revision: git.ref.commit };
      const ref = refOf(source);
      if (follower === undefined || ref === undefined) return { state: "unfollowed" };
      // What was known before may be the very commit that the request wants to get away from.
      if (looks.get(keyOf(environment))?.isOver === false) return { state: "pending" };
      return follower.revision(ref);
    },
    stop(namespace, name) {
      const key = keyFor(namespace, name);
      looks.delete(key);
      follower?.forget(key);
    },
  };
}
