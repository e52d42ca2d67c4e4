import type { Environment } from "../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import type { Run } from "../../operator/api/run.ts";
import type { KubeObject } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS } from "../../operator/cluster/resources.ts";
import { isClosed } from "../../operator/environment/observation.ts";
import { endedAtMs } from "../../operator/environment/retry.ts";
import { sleepAt } from "../../operator/schedule/sleep.ts";
import type { ComponentRecord, StateKey } from "../../operator/storage/record.ts";
import type { WorldApi } from "./world-api.ts";
import type { SpecHistory } from "./world-expectation.ts";
import type { Hands } from "./world-hands.ts";

export interface TriesParts {
  readonly api: Pick<WorldApi, "find">;
  readonly history: SpecHistory;
  readonly hands: Pick<Hands, "newestRunBefore" | "isReplaced">;
  readonly recordOf: (key: StateKey) => ComponentRecord | undefined;
  readonly violated: (what: string) => void;
}

/** Tries of one thing: the first, and as many repetitions as `retry.limit` allows unless the spec says otherwise. */
const MOST_TRIES = 6;

/**
 * What waited, or was overtaken by the end of its window or a suspension, and came to nothing did not fail, and neither did an apply that was cut off: whoever
 * tries after it begins to count anew.
 */
function isNoFailure({ spec, status }: Run): boolean {
  if (status?.phase === "Interrupted") return spec.operation === "Apply";
  return status?.phase === "Cancelled" && (status.heldAt !== undefined || HELD_BACK.includes(status.outcome?.reason));
}

const HELD_BACK: readonly unknown[] = ["WindowClosed", "Suspended"];

/** A Run is a try of something: never of what has succeeded, nor beside another one, nor more often than is allowed. */
export function triesOracle({ api, history, hands, recordOf, violated }: TriesParts) {
  const ofThePast = new Set<string>();

  /** `before` are those of its component, newest first. */
  function isNew(run: Run, before: readonly Run[]): void {
    if (isOfThePast(run)) ofThePast.add(run.metadata.uid);
    const key = {
      namespace: run.metadata.namespace,
      environment: run.spec.environment.name,
      component: run.spec.component,
    };
    // After a person has put a state in, those that were made before do not count any more.
    const newestBefore = hands.newestRunBefore(key);
    const tries = sinceItSlept(run, before).filter(
      (other) =>
        other.spec.number > newestBefore &&
        other.spec.operation === run.spec.operation &&
        other.spec.desiredDigest === run.spec.desiredDigest &&
        other.spec.environment.generation === run.spec.environment.generation &&
        other.spec.request === run.spec.request,
    );
    const name = `${run.spec.operation} ${run.spec.component} #${run.spec.number}`;
    // What drifts again is brought back again: tries are counted from the last that succeeded.
    const success = tries.findIndex(({ status }) => status?.phase === "Succeeded");
    const same = run.spec.cause.type === "DriftFound" && success >= 0 ? tries.slice(0, success) : tries;
    // A state that was let go, at the end of a life, is taken back by a Run.
    const isTakenBack = recordOf(key)?.ownership === "Released";
    if (same[0]?.status?.phase === "Succeeded" && same[0] === before[0] && !isTakenBack && !hands.isReplaced(key))
      violated(`noise: ${name} repeats what succeeded`);
    const other = same.findIndex(isNoFailure);
    const since = other < 0 ? same : same.slice(0, other);
    const lookBack = before.find(({ metadata }) => ofThePast.has(metadata.uid))?.spec.number ?? 0;
    const failures = since.filter(
      ({ spec, status }) => spec.number > lookBack && status?.phase === "Failed" && status.outcome?.result === "Failed",
    );
    // What has drifted since is tried afresh.
    const isNews = (recordOf(key)?.drift?.number ?? 0) > (before[0]?.spec.number ?? 0);
    if (
      failures.length >= MOST_TRIES &&
      !(run.spec.cause.type === "DriftFound" && isNews) &&
      !ofThePast.has(run.metadata.uid)
    )
      violated(`bounds: ${name} is try ${failures.length + 1}`);
    const open = before.find((other) => !isClosed(other));
    if (open !== undefined) violated(`open: ${name} is made while #${open.spec.number} has not ended`);
  }

  /**
   * Its maker saw the Environment as it was before somebody edited it, or asked for another plan. A look back may cost one Run, after which tries
   * count anew.
   */
  function isOfThePast({ metadata, spec }: Run): boolean {
    const { name } = spec.environment;
    const now = api.find<Environment & KubeObject>(ENVIRONMENTS.plural, metadata.namespace, name);
    const isOlder = spec.environment.generation < (now?.metadata.generation ?? 0);
    return isOlder || now?.metadata.annotations?.[ANNOTATIONS.requestedAt] !== spec.request;
  }

  /**
   * Whoever wakes, or falls asleep, tries afresh: between two evenings stands what was tried in the morning. Where nothing existed in the
   * evening, no Run stands between two mornings.
   */
  function sinceItSlept({ spec, metadata }: Run, before: readonly Run[]): readonly Run[] {
    const declared = history.at(spec.environment.uid, spec.environment.generation);
    if (declared?.lifetime === undefined) return before;
    const sleeps = declared.components.some(({ name, sleep }) => name === spec.component && sleep !== undefined);
    const answer = sleepAt(declared.lifetime.sleep, Date.parse(metadata.creationTimestamp ?? ""));
    const turnedAtMs =
      answer.state === "awake" ? answer.fellAsleepAtMs : answer.state === "asleep" ? answer.wokeAtMs : undefined;
    const other = before.findIndex(
      (run) =>
        run.spec.operation !== spec.operation ||
        run.spec.desiredDigest !== spec.desiredDigest ||
        (sleeps && turnedAtMs !== undefined && endedAtMs(run) < turnedAtMs),
    );
    return other < 0 ? before : before.slice(0, other);
  }

  return { isNew };
}
