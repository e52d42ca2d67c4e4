import type { Environment } from "../api/environment.ts";
import { changesSomething, overriddenText } from "../run/outside-windows.ts";
import { isWaitingForPeople } from "../run/phase.ts";
import { type Gate, overrideOf, troubleText } from "../schedule/gate.ts";
import { replacingWrite } from "../storage/record.ts";
import { isToldLost } from "./lost-state.ts";
import type { Verdict } from "./verdict.ts";
import { isAgreed } from "./waiting-run.ts";

/** Lets a verdict begin a change only where the windows allow it. What is under way already goes on, and what changes nothing needs no window. */
export function withinWindows(gate: Gate): (verdict: Verdict) => Verdict {
  switch (gate.state) {
    case "open":
      return (verdict) => verdict;
    case "overridden":
      return (verdict) => overriding(verdict, gate.reason);
    case "closed":
      return (verdict) => {
        if (isApproved(verdict)) return held(verdict, `its plan may be applied; ${gate.message}`, gate.opensAtMs);
        return begins(verdict) ? held(verdict, gate.message, gate.opensAtMs) : verdict;
      };
    case "invalid":
      // A loss that nobody tells any more is none in a deletion.
      return (verdict) =>
        isAtWork(verdict) || isToldLost(verdict) ? verdict : stalled(verdict, troubleText(gate.trouble));
  }
}

function isApproved({ state, past: { open } }: Verdict): boolean {
  return state === "AwaitingApproval" && open !== undefined && isAgreed(open);
}

const begins = ({ step }: Verdict): boolean => step.type === "startRun" && changesSomething(step.spec);

/** A correction that has not begun is no work yet: its component is as it was. */
const isAtWork = ({ past, state, satisfied }: Verdict): boolean =>
  (past.open !== undefined && !satisfied) || state === "Destroyed";

function held(verdict: Verdict, message: string, opensAtMs: number): Verdict {
  const waiting = { ...verdict, step: { type: "none" }, wakeAtMs: opensAtMs } as const;
  // A correction: the component is as ready as it was, and the next look may come before the window.
  if (verdict.satisfied) return { ...waiting, wakeAtMs: Math.min(opensAtMs, verdict.wakeAtMs ?? opensAtMs) };
  return {
    ...waiting,
    state: "Suspended",
    reason: "WindowClosed",
    message,
  };
}

function stalled(verdict: Verdict, message: string): Verdict {
  return { ...verdict, state: "Stalled", reason: "ScheduleInvalid", message, step: { type: "none" }, satisfied: false };
}

function overriding(verdict: Verdict, reason: string): Verdict {
  const { step } = verdict;
  if (step.type !== "startRun" || !begins(verdict)) return verdict;
  const { cause } = step.spec;
  const detail = [cause.detail, overriddenText(reason)].filter(Boolean).join("; ").slice(0, 512);
  return { ...verdict, step: { ...step, spec: { ...step.spec, cause: { ...cause, detail } }, outsideWindows: reason } };
}

/**
 * What was under way has been cut off, its state replaced, or what is there changed by somebody: whoever decides how to go on decides about the
 * windows, too.
 */
function isLeftToPerson({ past: { open, record } }: Verdict): boolean {
  if (open === undefined || !isWaitingForPeople(open) || isAgreed(open)) return false;
  const { type } = open.spec.cause;
  return type === "Recovery" || type === "DriftFound" || replacingWrite(record) !== undefined;
}

/**
 * An override is for one occasion: it is taken off when the Environment comes to rest, or a window is open anyway. Until then it also covers
 * further tries, dependents, and plans that are being approved; not one that is left to people.
 */
export function isOverrideSpent(environment: Environment, gate: Gate, verdicts: readonly Verdict[]): boolean {
  if (overrideOf(environment) === undefined) return false;
  const moves = (verdict: Verdict): boolean => {
    const { past, step, wakeAtMs, state } = verdict;
    const isUnderWay = past.open !== undefined && !isLeftToPerson(verdict);
    const isNext = state === "Pending" || (state === "Failed" && wakeAtMs !== undefined);
    if (isUnderWay || isNext) return true;
    return step.type === "startRun" ? begins(verdict) : step.type !== "none";
  };
  return gate.state !== "overridden" || !verdicts.some(moves);
}
