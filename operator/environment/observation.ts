import type { Environment } from "../api/environment.ts";
import { isClosed, type Run } from "../api/run.ts";
import type { Source } from "../api/source.ts";
import { hasMoved, runsOfFormerNames } from "../run/witness.ts";
import type { GitReason } from "../source/git-error.ts";
import type { ComponentRecord } from "../storage/record.ts";
import type { CatalogueEngine } from "./desired.ts";

export { isClosed } from "../api/run.ts";

export type PathContents = Readonly<Record<string, string>>;

/** What is known about where a git ref points. */
export type RevisionSeen =
  | {
      readonly state: "known";
      readonly revision: string;
      /** What the watched paths hold there, by path: ids of git. A path that does not exist is missing. */
      readonly contents?: PathContents | undefined;
    }
  /** Asked, and not answered yet. */
  | { readonly state: "pending" }
  /** Nobody looks it up for us: the runner's agent does. */
  | { readonly state: "unfollowed" }
  | { readonly state: "failed"; readonly reason: GitReason; readonly message: string };

/** A git source of the Environment, with the means to look it up. */
export interface FollowedSource {
  readonly source: Source;
  /** Those that a runner used last for this very url, where it is private. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  /** A Run that uses this url trusts certificates of its own, which nobody else has. */
  readonly usesOwnCa: boolean;
  /** Whose contents have to be known beside the commit. */
  readonly paths: readonly string[];
}

/** All that a decision may depend on, as plain data: the same observation always gives the same decision. */
export interface Observation {
  readonly environment: Environment;
  /** Runs of this Environment's UID. */
  readonly runs: readonly Run[];
  /** Records of all states under the Environment's name, also those that another UID owns. */
  readonly records: readonly ComponentRecord[];
  readonly revisionOf: (source: Source) => RevisionSeen;
  readonly catalogue: readonly CatalogueEngine[];
  /** Wall clock, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Environments that are being deleted and were within a minute of this one, itself included; and how many are usual (0: any number). */
  readonly deletions: { readonly together: number; readonly limit: number };
  /** The custom resource definition itself is being deleted, and takes the Environment along. */
  readonly crdTerminating: boolean;
}

/** One component's part of the observation: everything that carries its name. */
export interface ComponentPast {
  readonly name: string;
  /** Newest first. Checks are not among them: they change nothing, so nothing that is decided about changes knows of them. */
  readonly runs: readonly Run[];
  /** Those of names that its state had before, newest first: they tell what was made, and nothing else about this name. */
  readonly formerRuns: readonly Run[];
  readonly latest: Run | undefined;
  readonly open: Run | undefined;
  /** Runs that only look for drift, newest first. */
  readonly checks: readonly Run[];
  readonly record: ComponentRecord | undefined;
  readonly nextNumber: number;
}

/** The store takes no Run that is older than the one that it worked for last. */
function claimNumber(environmentUid: string, record: ComponentRecord | undefined): number | undefined {
  return record?.owner.environmentUid === environmentUid ? record.claim?.number : undefined;
}

/** One component, and the whole that it was seen in. */
export interface ComponentSeen {
  readonly observation: Observation;
  readonly past: ComponentPast;
}

const isNoCheck = ({ spec }: Run): boolean => spec.operation !== "Check";

export function pastOf(observation: Observation, name: string): ComponentPast {
  const all = observation.runs
    .filter((run) => run.spec.component === name)
    .sort((a, b) => b.spec.number - a.spec.number);
  const own = all.filter((run) => !hasMoved(run));
  const runs = own.filter(isNoCheck);
  const record = observation.records.find((candidate) => candidate.key.component === name);
  const { uid } = observation.environment.metadata;
  const { applied, attempted, cutOff } = record ?? {};
  const recorded = [applied?.number, attempted?.number, cutOff?.number, claimNumber(uid, record)];
  const numbers = [all[0]?.spec.number, ...recorded];
  return {
    name,
    runs,
    formerRuns: runsOfFormerNames(observation.runs, name).filter(isNoCheck),
    latest: runs[0],
    open: runs.find((run) => !isClosed(run)),
    checks: own.filter(({ spec }) => spec.operation === "Check"),
    record,
    nextNumber: Math.max(0, ...numbers.map((number) => number ?? 0)) + 1,
  };
}
