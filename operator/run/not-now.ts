import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import type { RunOutcome } from "../api/run-status.ts";
import { changesSomething, type OutsideWindows, outsideWindows } from "./outside-windows.ts";

export interface NotNow extends Omit<OutsideWindows, "reason"> {
  readonly reason: OutsideWindows["reason"] | "Suspended";
}

/** Why this Run may not begin to apply or destroy now, though it may later: a person, or a window, holds it back. What has begun goes on. */
export function whyNotNow(run: Run, environment: Environment | undefined, nowMs: number): NotNow | undefined {
  return isSuspended(run, environment)
    ? { reason: "Suspended", message: "spec.suspend is true: nothing is begun" }
    : outsideWindows(run, environment, nowMs);
}

const isSuspended = (run: Run, environment: Environment | undefined): boolean =>
  environment?.metadata.uid === run.spec.environment.uid && environment.spec.suspend && changesSomething(run.spec);

export const cancelledBy = ({ reason, message }: NotNow): RunOutcome => ({ result: "Cancelled", reason, message });
