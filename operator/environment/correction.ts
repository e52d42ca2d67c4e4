import type { Component } from "../api/component.ts";
import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import { attemptedNow, attemptSpec } from "./attempt-spec.ts";
import { answerAfterFailure } from "./attempts.ts";
import type { CatalogueEngine } from "./desired.ts";
import { desiredDigestOf } from "./digest.ts";
import { driftSettings, isFoundWithOtherRules } from "./drift.ts";
import type { ComponentPast, ComponentSeen } from "./observation.ts";
import { rulesOfRun, whyNotByRules } from "./rules-of-run.ts";
import type { Answer } from "./verdict.ts";

/** What is declared and applied already: a correction means to do just that again. */
export interface AppliedAsDeclared {
  readonly component: Component;
  readonly engine: CatalogueEngine;
  readonly inputs: Run["spec"]["inputs"];
  readonly inputsDigest: string;
  readonly revision: string | undefined;
  readonly builtOn?: Run["spec"]["builtOn"];
}

/** A Run that brings back what was applied, and has not begun to: until it does, nothing is less ready than it was. */
export function isComingCorrection({ spec, status }: Run): boolean {
  return spec.cause.type === "DriftFound" && status?.applyStartedAt === undefined && status?.phase !== "Applying";
}

/** Why a correction that has not begun is not wanted any more, apart from what makes any plan void. */
export function whyNotCorrected(
  { spec }: Environment,
  component: Component,
  past: Pick<ComponentPast, "record" | "checks">,
): string | undefined {
  const settings = driftSettings(spec, component);
  const { interval, action = "Report" } = settings;
  if (interval === undefined || action === "Report") return "drift is only to be reported now";
  return isFoundWithOtherRules(past, settings) ? "drift.ignore has changed since the drift was found" : undefined;
}

/** Somebody has said no to it, which stands while that drift is there. */
export const isRefusedCorrection = ({ spec, status }: Run): boolean =>
  spec.cause.type === "DriftFound" && status?.outcome?.reason === "Rejected";

/**
 * The proposal that was refused, where it would be made once more: nobody edits an Environment to be asked again. Another drift, other rules for that
 * plan, or a correction that is not to be proposed any more, are other questions.
 */
export function refusedProposal(environment: Environment, component: Component, past: ComponentPast): Run | undefined {
  const last = past.runs.find(({ spec }) => spec.cause.type === "DriftFound");
  const { drift } = past.record ?? {};
  if (last === undefined || !isRefusedCorrection(last)) return undefined;
  const isOfThis = drift !== undefined && drift.number < last.spec.number;
  const isProposed = driftSettings(environment.spec, component).action === "Propose";
  const isSame = whyNotByRules(last, rulesOfRun("DriftFound", environment, component, past)) === undefined;
  return isOfThis && isProposed && isSame ? last : undefined;
}

/**
 * What becomes of drift that somebody wants corrected: an ordinary Run. A component that has drifted is as ready as before, so a correction
 * that waits, or fails before it changed anything, stops nobody either.
 */
export function corrected(seen: ComponentSeen, as: AppliedAsDeclared, ready: Answer): Answer {
  const { observation, past } = seen;
  const { environment, nowMs } = observation;
  const settings = driftSettings(environment.spec, as.component);
  const { interval, action = "Report" } = settings;
  const { drift, applied } = past.record ?? {};
  if (drift === undefined || interval === undefined || action === "Report" || environment.spec.suspend) return ready;
  // A look that is due comes first: what was found may be gone, and the correction may have to wait for its window.
  if (ready.step !== undefined || isFoundWithOtherRules(past, settings)) return ready;
  if (refusedProposal(environment, as.component, past) !== undefined) return ready;
  const wanted = attemptedNow(environment, desiredDigestOf(as.inputsDigest, as.revision));
  const wait = answerAfterFailure(past, wanted, environment.spec.retry, nowMs);
  // What was rejected, or failed too often, is tried again when something else has drifted.
  const isNews = drift.number > (past.latest?.spec.number ?? 0) && wait?.wakeAtMs === undefined;
  if (wait !== undefined && !isNews) return comingBack(ready, wait.wakeAtMs);
  const { engine, inputs, inputsDigest, revision } = as;
  const spec = attemptSpec(seen, wanted, {
    operation: "Apply",
    inputsDigest,
    engine: { name: engine.name, version: engine.version, image: engine.image },
    cause: { type: "DriftFound", detail: `${drift.run} found: ${drift.addresses.join(", ")}`.slice(0, 512) },
    inputs: {
      ...inputs,
      ...(revision === undefined ? {} : { revision }),
      // What was applied is applied again: a commit is still judged by what that held.
      ...(applied?.inputs.content === undefined ? {} : { content: applied.inputs.content }),
    },
    ...(as.builtOn === undefined ? {} : { builtOn: as.builtOn }),
    rules: rulesOfRun("DriftFound", environment, as.component, past),
  });
  return { ...ready, step: { type: "startRun", spec } };
}

/** For the next try, or for the next look, whatever comes first. */
function comingBack(ready: Answer, wakeAtMs: number | undefined): Answer {
  if (wakeAtMs === undefined) return ready;
  return { ...ready, wakeAtMs: Math.min(wakeAtMs, ready.wakeAtMs ?? wakeAtMs) };
}
