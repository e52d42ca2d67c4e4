import type { Component } from "../../operator/api/component.ts";
import type { Environment, EnvironmentSpec } from "../../operator/api/environment.ts";
import { durationMs } from "../../operator/api/fields.ts";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import type { Sleep, Window } from "../../operator/api/time.ts";

/**
 * What the clock says about an Environment, read a second time, minute by minute, without a word of the product. It knows UTC, and of schedules
 * minutes and hours: `*`, steps and single values.
 */

const MINUTE_MS = 60_000;
const LONGEST_LOOK_BACK_MS = 48 * 60 * MINUTE_MS;

const fits = (field: string, value: number): boolean =>
  field === "*" || (field.startsWith("*/") ? value % Number(field.slice(2)) === 0 : value === Number(field));

function names(schedule: string, atMs: number): boolean {
  const [minute = "*", hour = "*"] = schedule.split(" ");
  const at = new Date(atMs);
  return fits(minute, at.getUTCMinutes()) && fits(hour, at.getUTCHours());
}

/** Whole minutes, from the one that has begun last, back to a moment. */
function* minutesSince(fromMs: number, atMs: number): Generator<number> {
  for (let minute = atMs - (atMs % MINUTE_MS); minute > fromMs; minute -= MINUTE_MS) yield minute;
}

function isOpen({ schedule, duration }: Window, atMs: number): boolean {
  for (const minute of minutesSince(atMs - durationMs(duration), atMs)) if (names(schedule, minute)) return true;
  return false;
}

/** May a change begin? */
export function mayBegin({ windows = [] }: EnvironmentSpec, atMs: number): boolean {
  const open = (type: Window["type"]) => windows.some((window) => window.type === type && isOpen(window, atMs));
  return !open("Deny") && (open("Allow") || windows.every(({ type }) => type !== "Allow"));
}

export const isOverridden = ({ metadata }: Environment): boolean =>
  metadata.annotations?.[ANNOTATIONS.windowOverride] !== undefined;

function isNight(sleep: Sleep | undefined, atMs: number): boolean {
  if (sleep === undefined) return false;
  for (const minute of minutesSince(atMs - LONGEST_LOOK_BACK_MS, atMs)) {
    if (names(sleep.wake, minute)) return false;
    if (names(sleep.schedule, minute)) return true;
  }
  return false;
}

/** The end of its life; infinity where it has none. */
export function endOf({ metadata, spec }: Environment): number {
  const { ttl, until } = spec.lifetime ?? {};
  if (ttl === undefined && until === undefined) return Number.POSITIVE_INFINITY;
  const declared =
    until === undefined ? Date.parse(metadata.creationTimestamp ?? "") + durationMs(ttl ?? "") : Date.parse(until);
  const extended = metadata.annotations?.[ANNOTATIONS.extendUntil];
  return extended === undefined ? declared : Math.max(declared, Date.parse(extended));
}

/** Of what is destroyed in its sleep nothing is there at night; what is scaled has its variables of the night. */
export function asOfNight(spec: EnvironmentSpec, atMs: number): EnvironmentSpec {
  if (!isNight(spec.lifetime?.sleep, atMs)) return spec;
  return { ...spec, components: spec.components.filter(({ sleep }) => sleep?.destroy !== true).map(scaled) };
}

/** The spec with the variables of the night; what is destroyed at night stays in it. */
export const asScaled = (spec: EnvironmentSpec, atMs: number): EnvironmentSpec =>
  isNight(spec.lifetime?.sleep, atMs) ? { ...spec, components: spec.components.map(scaled) } : spec;

function scaled(component: Component): Component {
  const { terraform, sleep } = component;
  const own = sleep?.variables ?? [];
  const others = (terraform.variables ?? []).filter(({ name }) => !own.some((variable) => variable.name === name));
  return { ...component, terraform: { ...terraform, variables: [...others, ...own] } };
}

/** What is declared for a moment: after the end, nothing is. */
export const declaredAt = (environment: Environment, atMs: number): EnvironmentSpec =>
  atMs >= endOf(environment) ? { ...environment.spec, components: [] } : asOfNight(environment.spec, atMs);
