import { UNSAVED_STATE_STEP } from "../api/run-status.ts";
import type { Clock } from "../loop/clock.ts";
import type { ProgressReport } from "./protocol.ts";

const EVERY_MS = 5_000;
const SHARE = 0.1;
/** Runs are forgotten when they end; those whose end another replica saw, after this long. */
const FORGET_MS = 3_600_000;

interface Told {
  readonly atMs: number;
  readonly step: string;
  readonly share: number;
}

/**
 * Lets progress through to the API server every 5 s, every 10 % and at each new step. A step that says that a state is unsaved
 * always passes: it keeps the pod, and another replica may have written over it.
 */
export interface ProgressThrottle {
  admit(runUid: string, report: ProgressReport): boolean;
  forget(runUid: string): void;
}

export function createProgressThrottle(clock: Pick<Clock, "monotonicMs">): ProgressThrottle {
  const told = new Map<string, Told>();
  const dropOld = (nowMs: number): void => {
    for (const [runUid, { atMs }] of told) if (nowMs - atMs > FORGET_MS) told.delete(runUid);
  };
  return {
    admit(runUid, report) {
      const nowMs = clock.monotonicMs();
      const last = told.get(runUid);
      const share = (report.done ?? 0) / Math.max(1, report.total ?? 1);
      const isUnsaved = report.step === UNSAVED_STATE_STEP;
      const news = isUnsaved || last === undefined || last.step !== report.step || share - last.share >= SHARE;
      if (!news && nowMs - last.atMs < EVERY_MS) return false;
      if (last === undefined) dropOld(nowMs);
      told.set(runUid, { atMs: nowMs, step: report.step, share });
      return true;
    },
    forget: (runUid) => void told.delete(runUid),
  };
}
