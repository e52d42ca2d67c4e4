import type { Component } from "../api/component.ts";
import type { Run } from "../api/run.ts";
import { attemptedNow, attemptSpec } from "./attempt-spec.ts";
import { answerAfterFailure } from "./attempts.ts";
import type { CatalogueEngine } from "./desired.ts";
import { desiredDigestOf } from "./digest.ts";
import { driftSettings } from "./drift.ts";
import type { ComponentSeen } from "./observation.ts";
import { rulesFor } from "./rules.ts";
import type { Answer } from "./verdict.ts";

/** What is declared and applied already: a correction means to do just that again. */
export interface AppliedAsDeclared {
  readonly component: Component;
  readonly engine: CatalogueEngine;
  readonly inputs: Run["spec"]["inputs"];
  readonly inputsDigest: string;
  readonly revision: string | undefined;
}

/** A Run that brings back what was applied, and has not begun to: until it does, nothing is less ready than it was. */
export function isComingCorrection({ spec, status }: Run): boolean {
  return spec.cause.type === "DriftFound" && status?.applyStartedAt === undefined && status?.phase !== "Applying";
}

/**
 * What becomes of drift that somebody wants corrected: an ordinary Run. A component that has drifted is as ready as before, so a correction
 * that waits, or fails before it changed anything, stops nobody either.
 */
export function corrected(seen: ComponentSeen, as: AppliedAsDeclared, ready: Answer): Answer {
  const { observation, past } = seen;
  const { environment, nowMs } = observation;
  const { interval, action = "Report" } = driftSettings(environment.spec, as.component);
  const { drift } = past.record ?? {};
  if (drift === undefined || interval === undefined || action === "Report" || environment.spec.suspend) return ready;
  const wanted = attemptedNow(environment, desiredDigestOf(as.inputsDigest, as.revision));
  const wait = answerAfterFailure(past, wanted, environment.spec.retry, nowMs);
  if (wait !== undefined) return comingBack(ready, wait.wakeAtMs);
  const { engine, inputs, inputsDigest, revision } = as;
  const spec = attemptSpec(seen, wanted, {
    operation: "Apply",
    inputsDigest,
    engine: { name: engine.name, version: engine.version, image: engine.image },
    cause: { type: "DriftFound", detail: `${drift.run} found: ${drift.addresses.join(", ")}`.slice(0, 512) },
    inputs: { ...inputs, ...(revision === undefined ? {} : { revision }) },
    rules: rulesFor(environment, as.component, "Apply"),
  });
  return { ...ready, step: { type: "startRun", spec } };
}

/** For the next try, or for the next look, whatever comes first. */
function comingBack(ready: Answer, wakeAtMs: number | undefined): Answer {
  if (wakeAtMs === undefined) return ready;
  return { ...ready, wakeAtMs: Math.min(wakeAtMs, ready.wakeAtMs ?? wakeAtMs) };
}
