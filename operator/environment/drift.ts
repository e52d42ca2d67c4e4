import { createHash } from "node:crypto";
import type { Component } from "../api/component.ts";
import { type Drift, digestOfIgnore } from "../api/drift.ts";
import type { EnvironmentSpec } from "../api/environment.ts";
import { durationMs } from "../api/fields.ts";
import { isClosed, type Run, type RunSpec } from "../api/run.ts";
import type { Applied } from "../storage/record.ts";
import { inputsOf } from "./desired.ts";
import type { ComponentPast, ComponentSeen } from "./observation.ts";
import { endedAtMs } from "./retry.ts";
import type { Answer } from "./verdict.ts";

/** Moments are spread over this share of the interval, so that what was applied together is not looked at together. */
const JITTER = 0.2;
/** A check that keeps failing is tried ever less often, down to once in this time, or in an interval where that is longer. */
const LONGEST_BACK_OFF_MS = 24 * 3_600_000;

/** The component's own word counts as a whole: `drift: {}` says that nobody looks at it. */
export function driftSettings(spec: EnvironmentSpec, component: Component): Drift {
  return component.drift ?? spec.drift ?? {};
}

/** A component that is as it should be is looked at when it is time. Whatever comes of that, it stays ready and its dependents go on. */
export function watched(seen: ComponentSeen, component: Component, applied: Applied, answer: Answer): Answer {
  const { observation, past } = seen;
  const { environment, nowMs } = observation;
  const settings = driftSettings(environment.spec, component);
  const isUnderWay = past.checks.some((run) => !isClosed(run));
  if (settings.interval === undefined || environment.spec.suspend || isUnderWay) return answer;
  const ordinaryMs = nextCheckMs(environment.metadata.uid, past, durationMs(settings.interval));
  const dueMs = isLookWanted(past, settings) ? nowMs : ordinaryMs;
  if (dueMs > nowMs) return { ...answer, wakeAtMs: dueMs };
  return { ...answer, step: { type: "startRun", spec: checkSpec(seen, component, applied, settings) } };
}

/**
 * What is known of drift was found with other rules of `ignore` than the declared ones: whether it counts, only another look can tell. A record of
 * an older version does not say which, so the Check does that found it last; where that is gone, too, it counts as found with those of now.
 */
export function isFoundWithOtherRules(
  { record, checks }: Pick<ComponentPast, "record" | "checks">,
  { ignore }: Drift,
): boolean {
  const { drift } = record ?? {};
  if (drift === undefined) return false;
  const finder = checks.find(
    ({ spec, status }) => spec.number >= drift.number && status?.outcome?.result === "Drifted",
  );
  const usedByFinder = finder === undefined ? undefined : digestOfIgnore(finder.spec.drift?.ignore);
  const used = drift.ignoreDigest ?? usedByFinder;
  return used !== undefined && used !== digestOfIgnore(ignore);
}

/**
 * At once, and not again until it is time: a look with the rules of now that has failed, or was cancelled, is followed by the next one as any
 * is. One that a later Run has ended, however, has not had its turn.
 */
function isLookWanted(past: ComponentPast, settings: Drift): boolean {
  if (!isFoundWithOtherRules(past, settings)) return false;
  const [last] = past.checks;
  if (last === undefined) return true;
  const isEndedByLater = last.status?.phase === "Cancelled" && (past.latest?.spec.number ?? 0) > last.spec.number;
  return isEndedByLater || digestOfIgnore(last.spec.drift?.ignore) !== digestOfIgnore(settings.ignore);
}

/** Counted from the last plan of any kind. */
export function nextCheckMs(uid: string, past: ComponentPast, intervalMs: number): number {
  const { latest, checks, record } = past;
  const last = checks[0];
  const plans = [record?.applied?.at, latest?.status?.plannedAt].map((at) => Date.parse(at ?? ""));
  const lastMs = Math.max(...[...plans, last === undefined ? Number.NaN : endedAtMs(last)].map((ms) => ms || 0));
  return lastMs + Math.round(backOff(last, lastMs, intervalMs) * spread(`${uid}/${past.name}`));
}

/** The last look of a row of failed ones, unless there was another plan since. */
function backOff(last: Run | undefined, lastMs: number, intervalMs: number): number {
  if (last === undefined || !hasFailed(last) || endedAtMs(last) < lastMs) return intervalMs;
  return Math.max(intervalMs, Math.min(LONGEST_BACK_OFF_MS, intervalMs * 2 ** Math.min(last.spec.attempt + 1, 20)));
}

export function hasFailed({ status }: Run): boolean {
  return status?.phase === "Failed" || status?.phase === "Interrupted";
}

/** The same for the same component: a restarted operator waits for the same moment. */
function spread(name: string): number {
  const fraction = createHash("sha256").update(name).digest().readUInt32BE(0) / 2 ** 32;
  return 1 - JITTER / 2 + JITTER * fraction;
}

/** Module and values are those that were applied; the means of getting there are those that are declared now. */
function checkSpec(
  { observation, past }: ComponentSeen,
  component: Component,
  applied: Applied,
  settings: Drift,
): RunSpec {
  const { environment, catalogue } = observation;
  const { name, uid, generation = 0 } = environment.metadata;
  const { engine, inputs, desiredDigest } = applied;
  const { credentials, runner, timeouts } = inputsOf(environment, component, undefined);
  const current = catalogue.find((one) => one.name === engine.name && one.version === engine.version);
  const last = past.checks[0];
  return {
    environment: { name, uid, generation },
    component: past.name,
    number: past.nextNumber,
    operation: "Check",
    desiredDigest,
    inputsDigest: desiredDigest,
    engine: { ...engine, image: current?.image ?? engine.image },
    cause: { type: "Drift", detail: `looks whether what Run ${applied.run} applied is still there` },
    attempt: last !== undefined && hasFailed(last) ? last.spec.attempt + 1 : 0,
    inputs: { ...inputs, credentials, runner, timeouts },
    drift: { ignore: settings.ignore ?? [] },
  };
}
