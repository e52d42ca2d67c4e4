import type { Environment } from "../api/environment.ts";
import type { Operation, Run, RunSpec } from "../api/run.ts";
import { gateOf, troubleText } from "../schedule/gate.ts";

const CHANGING: readonly string[] = ["Apply", "Destroy"] satisfies readonly Operation[];

/** A Run that only looks needs no window. */
export const changesSomething = ({ operation }: Pick<RunSpec, "operation">): boolean => CHANGING.includes(operation);

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
  if (environment?.metadata.uid !== run.spec.environment.uid || !changesSomething(run.spec)) return undefined;
  const gate = gateOf(environment, nowMs);
  if (gate.state === "closed") return { reason: "WindowClosed", message: gate.message, opensAtMs: gate.opensAtMs };
  return gate.state === "invalid" ? { reason: "ScheduleInvalid", message: troubleText(gate.trouble) } : undefined;
}

/** For the cause of a Run, its event and its record. */
export const overriddenText = (reason: string): string => `outside of the windows: ${reason}`;
