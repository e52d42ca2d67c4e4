import { cutBytes } from "../api/cut-bytes.ts";
import { isClosed, type Run } from "../api/run.ts";
import type { PlanCounts, RunOutcome, RunStatus } from "../api/run-status.ts";
import { isConflict, isNotFound } from "../cluster/errors.ts";
import type { Reader, Writer } from "../cluster/ports.ts";
import { RUNS } from "../cluster/resources.ts";
import { conditionsOf } from "../run/conditions.ts";
import { closedPhase } from "../run/ending.ts";
import type { PlanReport, ProgressReport, Verdict } from "./protocol.ts";
import type { Session } from "./sessions.ts";

/**
 * The gateway's part of a Run's status: progress, plan, plannedAt, heldAt, applyStartedAt, outcome. The Run controller owns the rest. Each write is a
 * merge patch of what is new: two replicas serve one Run, and a server-side apply by the one would remove what the other had written.
 */
export interface RunStatuses {
  run(session: Session, signal: AbortSignal): Promise<Run | undefined>;
  planned(session: Session, plan: PlannedStatus, signal: AbortSignal): Promise<void>;
  /** Its text could not be written: told beside what was decided about the plan. */
  planTextRefused(session: Session, why: string, signal: AbortSignal): Promise<void>;
  /** Since when the plan waits. */
  held(session: Session, at: string, signal: AbortSignal): Promise<void>;
  /** The plan that waited is being applied. */
  applying(session: Session, at: string, why: string, signal: AbortSignal): Promise<void>;
  progress(session: Session, progress: ProgressReport, at: Date, signal: AbortSignal): Promise<void>;
  outcome(session: Session, outcome: RunOutcome, signal: AbortSignal): Promise<void>;
  /**
   * All of a Check's status in one write: its Run has nothing that the Run controller had to release first. `seen` is the Run as it was seen
   * last; where it has ended since, that end counts.
   */
  checked(session: Session, check: CheckedStatus, seen: Run | undefined, signal: AbortSignal): Promise<void>;
}

export interface CheckedStatus {
  readonly outcome: RunOutcome;
  readonly plan?: PlanReport;
  readonly startedAt?: string;
  readonly at: Date;
}

export interface PlannedStatus {
  readonly report: PlanReport;
  readonly answer: Verdict;
  readonly at: Date;
  readonly applyStartedAt?: string;
}

/** Field manager of the gateway's status writes; the Writer that is handed over must use it, and must not ask for the lease. */
export const GATEWAY_FIELD_MANAGER = "terrarium-gateway";

type RunVerdict = NonNullable<RunStatus["plan"]>["verdict"];

const LONGEST_ADDRESS = 256;
const LONGEST_WHY = 512;
const MOST_TRIES = 5;

export function createRunStatuses(client: Pick<Reader, "find"> & Pick<Writer, "mergePatch">): RunStatuses {
  const runOf = async ({ key, run, runUid }: Session, signal: AbortSignal): Promise<Run | undefined> => {
    const found = await client.find<Run>(RUNS, key.namespace, run, { signal });
    return found?.metadata.uid === runUid ? found : undefined;
  };
  /** A Run that was deleted, or made anew, has nobody to be told: the record has it. */
  const patch = async (session: Session, status: object, signal: AbortSignal): Promise<void> => {
    const { key, run, runUid } = session;
    const body = { metadata: { uid: runUid }, status };
    for (let tries = 1; ; tries += 1) {
      try {
        await client.mergePatch(RUNS, key.namespace, run, body, { subresource: "status", signal });
        return;
      } catch (error) {
        if (isNotFound(error)) return;
        if (!isConflict(error)) throw error;
        // The API server says the same of another Run under this name and of one that many write at once.
        if ((await runOf(session, signal)) === undefined) return;
        if (tries === MOST_TRIES) throw error;
      }
    }
  };
  return {
    run: runOf,
    held: (session, heldAt, signal) => patch(session, { heldAt }, signal),
    applying: (session, applyStartedAt, why, signal) =>
      patch(session, { applyStartedAt, plan: { verdict: "Apply", why: cutBytes(why, LONGEST_WHY) } }, signal),
    async planTextRefused(session, refused, signal) {
      const decided = (await runOf(session, signal))?.status?.plan?.why ?? "";
      if (decided.includes(refused)) return;
      const why = [decided, refused].filter((text) => text !== "").join("; ");
      await patch(session, { plan: { why: cutBytes(why, LONGEST_WHY) } }, signal);
    },
    planned: (session, plan, signal) => patch(session, plannedStatus(plan), signal),
    progress: (session, { step, done, total, current }, at, signal) =>
      patch(
        session,
        {
          progress: {
            step,
            done: done ?? null,
            total: total ?? null,
            current: current ?? null,
            updatedAt: at.toISOString(),
          },
        },
        signal,
      ),
    outcome: (session, outcome, signal) => patch(session, { outcome }, signal),
    async checked(session, check, seen, signal) {
      let run = seen?.metadata.uid === session.runUid ? seen : undefined;
      for (let tries = 1; ; tries += 1) {
        run ??= await runOf(session, signal);
        if (run === undefined || isClosed(run)) return;
        const { resourceVersion, uid, name, namespace } = run.metadata;
        const body = { metadata: { uid, resourceVersion }, status: checkedStatus(session, run, check) };
        try {
          await client.mergePatch(RUNS, namespace, name, body, { subresource: "status", signal });
          return;
        } catch (error) {
          if (isNotFound(error)) return;
          if (!isConflict(error) || tries === MOST_TRIES) throw error;
          run = undefined;
        }
      }
    },
  };
}

function plannedStatus({ report, answer, at, applyStartedAt }: PlannedStatus) {
  return {
    plan: planStatus(report, answer.verdict, answer.message),
    plannedAt: at.toISOString(),
    ...(applyStartedAt === undefined ? {} : { applyStartedAt }),
  };
}

function planStatus(report: PlanReport, verdict: RunVerdict, message: string) {
  const counts: PlanCounts = report.counts;
  const resources = report.resources.map(({ address, action }) => ({
    address: address.slice(0, LONGEST_ADDRESS),
    action: action.slice(0, 16),
  }));
  const { digest, revision } = report;
  const truncated = report.truncated ? true : null;
  const why = cutBytes(message, LONGEST_WHY);
  return { digest, counts, ...(revision === undefined ? {} : { revision }), resources, truncated, verdict, why };
}

function checkedStatus({ pod, podUid }: Session, run: Run, { outcome, plan, startedAt, at }: CheckedStatus): object {
  const phase = closedPhase(outcome);
  const now = at.toISOString();
  const { message } = outcome;
  return {
    observedGeneration: run.metadata.generation ?? 1,
    phase,
    conditions: conditionsOf(run, phase, outcome, at),
    ...(startedAt === undefined ? {} : { startedAt, pods: [{ name: pod, uid: podUid, createdAt: startedAt }] }),
    ...(plan === undefined ? {} : { plan: planStatus(plan, "Noted", message), plannedAt: now }),
    finishedAt: now,
    outcome,
  };
}
