import { cutBytes } from "../api/cut-bytes.ts";
import type { Environment } from "../api/environment.ts";
import type { ComponentStatus } from "../api/environment-status.ts";
import { expiresAtMs } from "../approval/tally.ts";
import { type DriftSeen, driftLine } from "./drift-seen.ts";
import { heldLock } from "./lock-standing.ts";
import { isToldLost } from "./lost-state.ts";
import { cutOffOf } from "./recovery.ts";
import type { Verdict } from "./verdict.ts";
import { consentTo } from "./waiting-run.ts";

/** Of the message of a component. */
export const LONGEST_LINE = 160;

/** What the status says of one component. */
export function componentLine(
  environment: Environment,
  verdict: Verdict,
  drift: DriftSeen | undefined,
): ComponentStatus {
  const { past, name, state, reason, message } = withDrift(verdict, drift);
  const { latest, record } = past;
  const applied = record?.applied;
  const cutOff = cutOffOf(past);
  const declared = environment.spec.components.find((component) => component.name === name);
  const policy = declared?.deletionPolicy ?? rememberedPolicy(environment, verdict, declared !== undefined);
  const failing = verdict.retries !== undefined && verdict.wakeAtMs !== undefined;
  return {
    name,
    state,
    reason,
    ...(message === "" ? {} : { message: cutBytes(message, LONGEST_LINE) }),
    ...newestRun(environment, verdict),
    ...(applied?.revision === undefined ? {} : { revision: revisionText(applied.inputs.source, applied.revision) }),
    ...(latest?.status?.plan === undefined ? {} : { plan: latest.status.plan.counts }),
    ...approvalLine(verdict),
    ...(applied === undefined ? {} : { appliedAt: applied.at }),
    ...(failing ? { retryAt: new Date(verdict.wakeAtMs ?? 0).toISOString() } : {}),
    ...(verdict.retries === undefined ? {} : { retries: verdict.retries }),
    ...(policy === undefined ? {} : { deletionPolicy: policy }),
    ...lockLine(environment, verdict),
    ...(cutOff === undefined ? {} : { interrupted: cutOff.run }),
    ...driftLine(drift),
  };
}

/** Of a loss the newest Run that was there stays named: an older one that is left is no witness of what came after it. */
function newestRun({ status }: Environment, { name, state, reason, past: { latest } }: Verdict) {
  const before = status?.components?.find((line) => line.name === name);
  const told = { state, reason };
  if (before?.run !== undefined && isToldLost(told) && (before.number ?? 0) > (latest?.spec.number ?? 0))
    return { run: before.run, ...(before.number === undefined ? {} : { number: before.number }) };
  return latest === undefined ? {} : { run: latest.metadata.name, number: latest.spec.number };
}

function approvalLine({ state, past: { open } }: Verdict): Pick<ComponentStatus, "approval"> {
  const { plan, heldAt } = open?.status ?? {};
  if (state !== "AwaitingApproval" || open === undefined || plan === undefined || heldAt === undefined) return {};
  const until = expiresAtMs({ heldAtMs: Date.parse(heldAt), rules: open.spec.rules });
  const expiresAt = new Date(until).toISOString();
  return { approval: { planDigest: plan.digest, ...consentTo(open), since: heldAt, expiresAt } };
}

/** A lock that is in the way, and that of a Run while it changes things. In a plan it comes and goes: that is no news. */
function lockLine({ metadata }: Environment, { past, reason }: Verdict): Pick<ComponentStatus, "lock"> {
  const held = heldLock(past, metadata.uid);
  if (held === undefined) return {};
  const { holder, standing } = held;
  const isInTheWay = reason === "LockOrphaned" || reason === "LockForeign";
  const changes = past.open?.status?.phase === "Applying";
  const isNews = isInTheWay || (holder.by === "lock" && (standing !== "Live" || changes));
  const { run, pod, since } = holder;
  return isNews ? { lock: { run, pod, since, standing } } : {};
}

/** Shown only: what has drifted is as ready as before. What was said already stays in front: that a source is away is said nowhere else. */
function withDrift(verdict: Verdict, drift: DriftSeen | undefined): Verdict {
  if (verdict.state !== "Ready" || drift?.status !== "True") return verdict;
  const said = cutBytes(verdict.message, LONGEST_LINE / 2);
  const message = said === "" ? drift.message : `${said}; ${drift.message}`;
  return { ...verdict, state: "Drifted", reason: drift.reason, message };
}

function rememberedPolicy(environment: Environment, { name }: Verdict, declared: boolean) {
  if (declared) return undefined;
  return environment.status?.components?.find((component) => component.name === name)?.deletionPolicy;
}

function revisionText(source: NonNullable<Environment["spec"]["source"]>, revision: string): string {
  const ref = source.git?.ref;
  const name = ref?.tag ?? ref?.branch ?? (ref?.commit === undefined ? "main" : "commit");
  return `${name}@sha1:${revision}`;
}
