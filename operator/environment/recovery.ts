import type { Cause, Run } from "../api/run.ts";
import type { ComponentPast } from "./observation.ts";

/**
 * The Run whose apply was cut off, as long as nobody has said how to go on: no Run since has begun to apply, and none has found that nothing is
 * left to do. What exists is not known from the state alone, so the next plan is for a person, whatever the rules say.
 */
export function cutOffRun({ runs }: Pick<ComponentPast, "runs">): Run | undefined {
  const last = runs.find(hasActed);
  return last?.status?.phase === "Interrupted" && last.spec.operation === "Apply" ? last : undefined;
}

const hasActed = ({ status }: Run): boolean =>
  status?.applyStartedAt !== undefined || status?.phase === "Interrupted" || status?.phase === "Succeeded";

/** The component is about to recover, or waits for a person before it does. */
export function isRecovering({ runs, open }: Pick<ComponentPast, "runs" | "open">): boolean {
  return open?.spec.cause.type === "Recovery" || cutOffRun({ runs }) !== undefined;
}

/** Why there is a Run after one that was cut off. */
export function recoveryCause({ spec, status }: Run, request: string | undefined): Cause {
  const left = (status?.outcome?.journal?.leftovers ?? []).length;
  const things = left === 0 ? "" : "; its journal names what it made and no state has";
  const asked = request === undefined ? "" : "; a person asked to go on";
  return { type: "Recovery", detail: `Run ${spec.number} was interrupted${things}${asked}` };
}
