import type { Component } from "../api/component.ts";
import { digestOf } from "../api/digest.ts";
import type { EnvironmentSpec } from "../api/environment.ts";
import type { Source } from "../api/source.ts";
import { placeKey } from "../resolver/followed.ts";
import { sourceOf } from "./desired.ts";
import type { ComponentPast, Observation, RevisionSeen } from "./observation.ts";

/** The paths whose changes count for this component; undefined where every commit counts. */
function pathsFor({ git }: Source, { terraform }: Component): readonly string[] | undefined {
  return git?.watch === undefined ? undefined : [...new Set([terraform.path, ...git.watch])].sort();
}

/** All paths that matter to any component of this repository and ref: they are looked up together. */
export function watchedPaths(spec: EnvironmentSpec, { git }: Source): readonly string[] {
  const place = git && placeKey(git);
  const paths = spec.components.flatMap((component) => {
    const source = sourceOf(spec, component);
    const same = source.git !== undefined && placeKey(source.git) === place;
    return (same ? pathsFor(source, component) : undefined) ?? [];
  });
  return [...new Set(paths)].sort();
}

/** What this component's paths hold at the newest commit, in one digest; undefined where every commit counts. */
export function contentOf(seen: RevisionSeen, source: Source, component: Component): string | undefined {
  const paths = pathsFor(source, component);
  if (seen.state !== "known" || seen.contents === undefined || paths === undefined) return undefined;
  const { contents } = seen;
  return digestOf(paths.map((path) => [path, contents[path] ?? null]));
}

/**
 * A commit that changes nothing that matters to this component is no other commit for it than the one that its open Run is of, or the one that
 * is applied: both remember what they held.
 */
export function withKeptCommits(observation: Observation, component: Component, past: ComponentPast): Observation {
  const revisionOf = (source: Source): RevisionSeen => {
    const seen = observation.revisionOf(source);
    const content = contentOf(seen, source, component);
    if (seen.state !== "known" || content === undefined) return seen;
    const same = commitsOf(past).find((commit) => commit.content === content);
    return { ...seen, revision: same?.revision ?? seen.revision };
  };
  return { ...observation, revisionOf };
}

interface KnownCommit {
  readonly revision?: string | undefined;
  readonly content?: string | undefined;
}

const commitsOf = ({ open, record }: ComponentPast): readonly KnownCommit[] => [
  ...(open === undefined ? [] : [open.spec.inputs]),
  ...(record?.applied === undefined ? [] : [{ ...record.applied.inputs, revision: record.applied.revision }]),
];
