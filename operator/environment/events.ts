import type { Environment } from "../api/environment.ts";
import type { EnvironmentStatus } from "../api/environment-status.ts";
import { tellsOfEverythingIgnored } from "./drift-seen.ts";
import type { EnvironmentPorts } from "./ports.ts";

const LOUD = new Set(["Failed", "Stalled"]);
const QUIET = new Set(["Ready", "Destroyed"]);
/** What has drifted stands as it stood: only the drift is news. */
const STANDS = new Set<string | undefined>(["Ready", "Drifted"]);

/** Tells once what has changed since the last status: which components came to stand or fell, and the whole. */
export function announce(
  environment: Environment,
  status: EnvironmentStatus,
  { event }: Pick<EnvironmentPorts, "event">,
): void {
  const before = new Map(environment.status?.components?.map((component) => [component.name, component]));
  for (const { name, state, reason, message, drift, interrupted } of status.components ?? []) {
    const was = before.get(name);
    if (interrupted !== undefined && was?.interrupted !== interrupted)
      event(environment, "Warning", "Interrupted", `${name}: the apply of ${interrupted} was cut off`);
    if (drift !== undefined && was?.drift === undefined)
      event(environment, "Warning", "DriftFound", `${name}: ${message ?? ""}`);
    if (drift === undefined && was?.drift !== undefined)
      event(environment, "Normal", "NoDrift", `${name}: the drift is gone`);
    if (was?.state === state && was.reason === reason) continue;
    if (STANDS.has(was?.state) && STANDS.has(state)) continue;
    const text = `${name}: ${message ?? state}`;
    if (state === "AwaitingApproval") event(environment, "Normal", state, text);
    if (LOUD.has(state)) event(environment, "Warning", reason ?? state, text);
    else if (QUIET.has(state) && was !== undefined)
      event(environment, "Normal", reason ?? state, `${name} is ${state}`);
  }
  const expiring = turned("Expiring", environment.status, status);
  if (expiring !== undefined) event(environment, "Warning", "Expiring", expiring.message);
  const expired = (of: EnvironmentStatus | undefined) =>
    of?.conditions?.find(({ type, reason }) => type === "Expiring" && reason === "Expired");
  if (expired(status) !== undefined && expired(environment.status) === undefined)
    event(environment, "Normal", "Expired", expired(status)?.message ?? "");
  announceUnknownDrift(environment, status, event);
  const ready = turned("Ready", environment.status, status);
  if (ready !== undefined) event(environment, "Normal", "Ready", ready.message);
  const stalled = turned("Stalled", environment.status, status);
  // Where a component is the cause, it has told so already.
  if (stalled === undefined || status.components?.some(({ reason }) => reason === stalled.reason)) return;
  event(environment, "Warning", stalled.reason, stalled.message);
}

/** The condition, where it has come to hold. */
function turned(
  type: "Ready" | "Stalled" | "Expiring",
  before: EnvironmentStatus | undefined,
  after: EnvironmentStatus,
) {
  const held = before?.conditions?.find((condition) => condition.type === type)?.status === "True";
  const condition = after.conditions?.find((candidate) => candidate.type === type);
  return condition?.status === "True" && !held ? condition : undefined;
}

/** That nobody looks any more is no news, and a rule that ignores everything is told whatever the condition is about. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set(["NotChecked", "EverythingIgnored"]);

function announceUnknownDrift(
  environment: Environment,
  status: EnvironmentStatus,
  event: EnvironmentPorts["event"],
): void {
  const driftIn = (of: EnvironmentStatus | undefined) => of?.conditions?.find(({ type }) => type === "Drifted");
  const [was, now] = [driftIn(environment.status), driftIn(status)];
  if (now === undefined) return;
  if (now.status === "Unknown" && !TOLD_OTHERWISE.has(now.reason) && was?.reason !== now.reason)
    event(environment, "Warning", now.reason, now.message);
  if (tellsOfEverythingIgnored(now) && !tellsOfEverythingIgnored(was))
    event(environment, "Warning", "EverythingIgnored", now.message);
}
