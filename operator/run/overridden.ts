import { ANNOTATIONS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import { gateOf } from "../schedule/gate.ts";
import type { RunDecision } from "./decide.ts";
import type { RunSeen } from "./observation.ts";
import { changesSomething, overriddenText } from "./outside-windows.ts";

/** A person's reason for which this Run goes on although no window is open, where its record does not have it yet. */
export function overrideToNote(seen: RunSeen, decision: RunDecision): string | undefined {
  const { run, environment, nowMs } = seen;
  if (environment?.metadata.uid !== run.spec.environment.uid || !changesSomething(run.spec)) return undefined;
  if (!leadsToChanges(decision)) return undefined;
  const gate = gateOf(environment, nowMs);
  return gate.state === "overridden" && !isNoted(run, gate.reason) ? gate.reason : undefined;
}

/** Its pod is made now, or has begun and not changed anything yet. What is being applied needs no window. */
function leadsToChanges(decision: RunDecision): boolean {
  if (decision.type === "createPod") return true;
  return decision.type === "wait" && (decision.phase === "Starting" || decision.phase === "Planning");
}

/** A Run that was made for that reason has it in its cause. */
function isNoted({ metadata, spec }: Run, reason: string): boolean {
  const noted = metadata.annotations?.[ANNOTATIONS.outsideWindows];
  return noted === reason || (spec.cause.detail?.includes(overriddenText(reason)) ?? false);
}
