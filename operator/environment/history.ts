import type { EnvironmentSpec } from "../api/environment.ts";
import { durationMs } from "../api/fields.ts";
import { isClosed, type Run } from "../api/run.ts";
import { cutOffApplies } from "../storage/record-of-applies.ts";
import { isRefusedCorrection } from "./correction.ts";
import { lossOf } from "./lost-state.ts";
import type { ComponentPast } from "./observation.ts";
import { cutOffOf } from "./recovery.ts";
import { endedAtMs } from "./retry.ts";

type History = EnvironmentSpec["history"];

/** What is kept where the spec says nothing. */
const DEFAULTS = { successes: 10, failures: 20 } as const;
/** What went wrong is asked about later than what went well. */
const FAILURES_LAST_TIMES = 2;

/**
 * Closed Runs of one component, under whatever name, that need not be kept any more. The newest that succeeded stays, since it is the record of
 * what is applied, and the newest of all, since it says where the component stands. What was cut off stays while nothing has ended well since:
 * nothing else lists what it left behind. What the store has lost stays lost while the Run is there that knows of it, and so does a no to what has
 * drifted. And the newest destroy that ended well stays until all before it have gone: without it they would witness what exists no more.
 */
export function surplusRuns(
  past: Pick<ComponentPast, "name" | "record" | "runs" | "formerRuns">,
  history: History,
  now: Date,
): readonly Run[] {
  const closed = [...past.runs, ...past.formerRuns].filter(isClosed);
  const cutOff = cutOffApplies(cutOffOf(past)).map(({ run }) => run);
  const kept = new Set([
    closed[0],
    closed.find(isSuccess),
    past.record?.drift === undefined ? undefined : closed.find(isRefusedCorrection),
    lossOf(past)?.run,
    ...closed.filter(({ metadata }) => cutOff.includes(metadata.name)),
    closed.slice(0, -1).find((run) => isSuccess(run) && run.spec.operation === "Destroy"),
  ]);
  const { successes = DEFAULTS.successes, failures = DEFAULTS.failures } = history ?? {};
  const beyond = (runs: readonly Run[], count: number): readonly Run[] =>
    runs.filter((run, index) => index >= count || tooOldAtMs(run, history) <= now.getTime());
  const others = closed.filter((run) => !isSuccess(run));
  const surplus = [
    ...beyond(closed.filter(isSuccess), successes),
    // A busy branch voids many plans while people think: they must not take the places of what went wrong.
    ...beyond(others.filter(isSuperseded), successes),
    ...beyond(
      others.filter((run) => !isSuperseded(run)),
      failures,
    ),
  ];
  return surplus.filter((run) => !kept.has(run));
}

/** When the next of these becomes too old, which no event tells. One that is kept for another reason costs a look, and nothing else. */
export function nextTooOldAtMs(
  { runs, formerRuns }: Pick<ComponentPast, "runs" | "formerRuns">,
  history: History,
  nowMs: number,
): number | undefined {
  const moments = [...runs, ...formerRuns].filter(isClosed).map((run) => tooOldAtMs(run, history));
  const next = Math.min(...moments.filter((moment) => moment > nowMs));
  return Number.isFinite(next) ? next : undefined;
}

const isSuccess = ({ status }: Run): boolean => status?.phase === "Succeeded";

/** Its plan became void, and another took its place: nothing went wrong, and nobody has said no. */
const isSuperseded = ({ status }: Run): boolean => status?.outcome?.reason === "Superseded";

/** The first moment at which its age alone lets it go. */
function tooOldAtMs(run: Run, history: History): number {
  if (history?.maxAge === undefined) return Number.POSITIVE_INFINITY;
  const times = isSuccess(run) || isSuperseded(run) ? 1 : FAILURES_LAST_TIMES;
  return endedAtMs(run) + times * durationMs(history.maxAge) + 1;
}
