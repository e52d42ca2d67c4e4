import type { Environment } from "../api/environment.ts";
import type { OwnRules } from "../api/own-rules.ts";
import type { Run, RunSpec } from "../api/run.ts";
import type { OutputRecord } from "../api/run-status.ts";
import type { ComponentRecord, StateKey } from "../storage/record.ts";
import type { CatalogueEngine } from "./desired.ts";
import type { FollowedSource, RevisionSeen } from "./observation.ts";

/** An output with its value, as the stored state has it. */
export interface OutputValue {
  readonly record: OutputRecord;
  readonly value: unknown;
}

/** What the Environment controller uses of the world; tests hand over a world in memory. */
export interface EnvironmentPorts {
  readonly now: () => Date;
  readonly catalogue: readonly CatalogueEngine[];
  /** More Environments than this that are deleted within a minute wait for a word of confirmation; 0: none ever does. */
  readonly usualDeletions: number;

  /** From caches: as new as the watches are. */
  environment(namespace: string, name: string): Environment | undefined;
  runsOf(environment: Environment): readonly Run[];
  recordsOf(namespace: string, environment: string): readonly ComponentRecord[];
  /** Environments anywhere that are being deleted and whose deletion was asked for within a minute of this one's, itself included. */
  deletedTogether(environment: Environment): number;
  /** From now on follows these git refs for the Environment, and no others. */
  follow(environment: Environment, sources: readonly FollowedSource[]): void;
  /** `pending` also while a look that was asked for with `requestedAt` is under way. */
  revisionOf(environment: Environment, source: FollowedSource): RevisionSeen;
  stopFollowing(namespace: string, name: string): void;
  crdTerminating(signal: AbortSignal): Promise<boolean>;
  /** A quorum read of the records: before a destroy is decided, the cache is not enough. */
  freshRecordsOf(namespace: string, environment: string, signal: AbortSignal): Promise<readonly ComponentRecord[]>;

  setFinalizer(environment: Environment, present: boolean, signal: AbortSignal): Promise<void>;
  /** Leaves only these names in the annotation that confirms removals; without any, the annotation goes. */
  setConfirmations(environment: Environment, names: readonly string[], signal: AbortSignal): Promise<void>;
  /** Deletes the object as it was seen; where it has changed since, another look decides. */
  deleteEnvironment(environment: Environment, signal: AbortSignal): Promise<void>;
  /** Takes off the annotation that overrides the windows, unless it is another by now. */
  withdrawOverride(environment: Environment, signal: AbortSignal): Promise<void>;
  /** Takes off the annotation that asks for the end of a Run, unless it names another one by now. */
  withdrawCancel(environment: Environment, run: string, signal: AbortSignal): Promise<void>;
  /** Creates the Run under its deterministic name. One that exists already is fine: it is the same decision. */
  createRun(environment: Environment, name: string, spec: RunSpec, signal: AbortSignal): Promise<void>;
  /** Marks the Run, which ends by that as long as it has not begun to apply. */
  supersedeRun(run: Run, why: string, signal: AbortSignal): Promise<void>;
  deleteRun(run: Run, signal: AbortSignal): Promise<void>;
  renameState(from: StateKey, to: StateKey, signal: AbortSignal): Promise<void>;
  releaseState(key: StateKey, environmentUid: string, signal: AbortSignal): Promise<void>;
  forgetState(key: StateKey, environmentUid: string, signal: AbortSignal): Promise<void>;
  /** Remembers in the component's record the own rules that it is declared with, unless the record has them already. */
  noteRules(key: StateKey, environmentUid: string, rules: OwnRules, signal: AbortSignal): Promise<void>;
  outputsOf(key: StateKey, signal: AbortSignal): Promise<readonly OutputValue[]>;
  /** Writes the objects that `writeOutputsTo` names, as owned by the Environment. */
  writeOutputs(environment: Environment, outputs: ReadonlyMap<string, OutputValue>, signal: AbortSignal): Promise<void>;
  /** Writes the status, unless it says so already. */
  writeStatus(
    environment: Environment,
    status: NonNullable<Environment["status"]>,
    signal: AbortSignal,
  ): Promise<boolean>;
  event(environment: Environment, type: "Normal" | "Warning", reason: string, message: string): void;
}
