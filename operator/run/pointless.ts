import { deletionPolicyOf, KEPT } from "../api/deletion-policy.ts";
import type { Environment } from "../api/environment.ts";
import type { Run } from "../api/run.ts";
import { isExpired } from "../schedule/lifetime.ts";
import { sleepAt } from "../schedule/sleep.ts";

/** Why a Run is not worth going on with, for its outcome and for the verdict on its plan alike. */
export interface Pointless {
  readonly reason: "Destroying" | "Expired" | "Superseded";
  readonly message: string;
}

/** Clocks of replicas, and the moments of their looks, may be that far apart. */
const SKEW_MS = 120_000;

/**
 * What an Environment that is gone, going or at its end would create, or what it does not declare any more, only had to be destroyed again, and
 * what is wanted again need not be destroyed first. `environment` has the Run's name for it, whatever its UID.
 */
export function whyPointless(run: Run, environment: Environment | undefined, nowMs: number): Pointless | undefined {
  const own = environment?.metadata.uid === run.spec.environment.uid ? environment : undefined;
  const going = own === undefined || own.metadata.deletionTimestamp !== undefined;
  if (run.spec.operation === "Destroy")
    return (own && whyRetained(run, own)) ?? (going ? undefined : whyKept(run, own, nowMs));
  if (run.spec.operation !== "Apply") return undefined;
  if (going) return { reason: "Destroying", message: "the Environment is being deleted, so nothing is applied" };
  if (isExpired(own, nowMs))
    return { reason: "Expired", message: "the lifetime of the Environment is over, so nothing is applied" };
  return isWanted(run, own) ? undefined : { reason: "Superseded", message: "the component is no longer declared" };
}

/** Removed or renamed: its state may be gone by now, and what is applied without it would be made a second time. An older spec says nothing. */
function isWanted({ spec }: Run, { metadata, spec: { components } }: Environment): boolean {
  const isOlder = (metadata.generation ?? 0) < spec.environment.generation;
  return isOlder || components.some(({ name }) => name === spec.component);
}

/** Somebody has said meanwhile that what exists is to be kept. Of a state that is on its way to another name, only its record tells whose word counts. */
function whyRetained({ spec: { component } }: Run, environment: Environment): Pointless | undefined {
  const { components } = environment.spec;
  const declared = components.find(({ name }) => name === component);
  const isMoving = declared === undefined && components.some(({ formerName }) => formerName === component);
  if (isMoving || deletionPolicyOf(environment, component, declared) !== "Retain") return undefined;
  return { reason: "Superseded", message: KEPT };
}

/** A destroy whose reason has gone: the lifetime was extended, the component is declared again, be it under another name, or it wakes. */
function whyKept({ spec }: Run, environment: Environment, nowMs: number): Pointless | undefined {
  const declared = environment.spec.components.find((one) => [one.name, one.formerName].includes(spec.component));
  if (declared === undefined || isExpired(environment, nowMs + SKEW_MS)) return undefined;
  const sleeps = (atMs: number): boolean => sleepAt(environment.spec.lifetime?.sleep, atMs).state !== "awake";
  const asleep = sleeps(nowMs) || sleeps(nowMs - SKEW_MS) || sleeps(nowMs + SKEW_MS);
  if (declared.sleep?.destroy === true && asleep) return undefined;
  return { reason: "Superseded", message: "what was to be destroyed is wanted again" };
}
