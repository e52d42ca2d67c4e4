import type { Environment } from "../api/environment.ts";
import type { Run, RunOutcome } from "../api/run.ts";
import { gateOf, troubleText } from "../schedule/gate.ts";

export interface OutsideWindows {
  readonly reason: "WindowClosed" | "ScheduleInvalid";
  readonly message: string;
  /** When that changes, where time changes it. */
  readonly opensAtMs?: number;
}

/** Why this Run may not apply or destroy anything now. The windows are those that are declared now, not those of when the Run was made. */
export function outsideWindows(
  run: Run,
  environment: Environment | undefined,
  nowMs: number,
): OutsideWindows | undefined {
  if (environment?.metadata.uid !== run.spec.environment.uid) return undefined;
  const gate = gateOf(environment, nowMs);
  if (gate.state === "closed") return { reason: "WindowClosed", message: gate.message, opensAtMs: gate.opensAtMs };
  return gate.state === "invalid" ? { reason: "ScheduleInvalid", message: troubleText(gate.trouble) } : undefined;
}

export const cancelledBy = ({ reason, message }: OutsideWindows): RunOutcome => ({
  result: "Cancelled",
  reason,
  message,
});
