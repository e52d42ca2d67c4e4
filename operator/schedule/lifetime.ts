import type { Environment } from "../api/environment.ts";
import { durationMs } from "../api/fields.ts";
import { ANNOTATIONS } from "../api/names.ts";

/** The moments of an Environment's life that matter. */
export interface Life {
  readonly endsAtMs: number;
  /** From then on its end is announced. */
  readonly warnsAtMs: number;
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** A time as Kubernetes writes it, or nothing where it is none. */
export function timeOf(text: string | undefined): number | undefined {
  const atMs = text !== undefined && RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** An Environment without a lifetime has no end. The annotation puts the end off, and never brings it nearer. */
export function lifeOf({ metadata, spec }: Environment): Life | undefined {
  const { ttl, until, warnBefore } = spec.lifetime ?? {};
  if (ttl === undefined && until === undefined) return undefined;
  const bornAtMs = timeOf(metadata.creationTimestamp);
  const declaredMs = ttl !== undefined && bornAtMs !== undefined ? bornAtMs + durationMs(ttl) : timeOf(until);
  if (declaredMs === undefined) return undefined;
  const endsAtMs = Math.max(declaredMs, timeOf(metadata.annotations?.[ANNOTATIONS.extendUntil]) ?? declaredMs);
  return { endsAtMs, warnsAtMs: endsAtMs - durationMs(warnBefore ?? "1h") };
}

export type Age = "unending" | "lasting" | "expiring" | "expired";

export function ageOf(life: Life | undefined, atMs: number): Age {
  if (life === undefined) return "unending";
  if (atMs >= life.endsAtMs) return "expired";
  return atMs >= life.warnsAtMs ? "expiring" : "lasting";
}

/** When the age changes next. */
export function nextAgeAt(life: Life | undefined, atMs: number): number | undefined {
  const age = ageOf(life, atMs);
  if (age === "lasting") return life?.warnsAtMs;
  return age === "expiring" ? life?.endsAtMs : undefined;
}

export const isExpired = (environment: Environment, atMs: number): boolean =>
  ageOf(lifeOf(environment), atMs) === "expired";
