import { approvedText } from "../api/approved.ts";
import { ANNOTATIONS } from "../api/names.ts";
import { rulesForPlan } from "../api/rules-for-plan.ts";
import type { RunOutcome } from "../api/run-status.ts";
import { type HeldQuestion, rejectionText, type Tally, tally } from "../approval/tally.ts";
import { CANCELLED_BEFORE_IT_BEGAN, isCancelled } from "./cancel.ts";
import type { RunDecision } from "./decide.ts";
import { whyNotNow } from "./not-now.ts";
import type { RunObservation, RunSeen } from "./observation.ts";
import { LOOKS_FOR_PLACE_MS } from "./places.ts";
import { whyPointless } from "./pointless.ts";

/** What people have said about the plan of this Run that waits. */
export function tallyOf({ run, approvals, nowMs }: RunSeen): Tally {
  const question: HeldQuestion = {
    environment: run.spec.environment.name,
    run: run.metadata,
    planDigest: run.status?.plan?.digest ?? "",
    heldAtMs: Date.parse(run.status?.heldAt ?? "") || nowMs,
    rules: rulesForPlan(run.spec.rules, run.status?.plan?.counts),
  };
  return tally(question, approvals, nowMs);
}

/** What its plan was made for is no longer wanted; only as long as nothing is applied. */
export function supersededOutcome({ metadata }: RunObservation["run"]): RunOutcome | undefined {
  const why = metadata.annotations?.[ANNOTATIONS.superseded];
  return why === undefined ? undefined : voidOutcome(why);
}

const rejectedOutcome = (standing: Parameters<typeof rejectionText>[0]): RunOutcome => ({
  result: "Cancelled",
  reason: "Rejected",
  message: rejectionText(standing).slice(0, 1024),
});

const voidOutcome = (why: string): RunOutcome => ({
  result: "Cancelled",
  reason: "Superseded",
  message: why.slice(0, 1024),
});

/** A plan waits: for people, for its turn, or for nothing any more. */
export function decideWaiting(observation: RunObservation): RunDecision {
  const { run, environment, pod, freePlaces, standing: plan } = observation;
  // It was made before and not recorded, by a process that died or was not answered.
  if (pod !== undefined) return { type: "createPod" };
  const { standing } = tallyOf(observation);
  // A no is heard also where the plan is void by now: it may be about more than this plan.
  if (standing.type === "rejected") return { type: "cancel", outcome: rejectedOutcome(standing) };
  const superseded = supersededOutcome(run);
  if (superseded !== undefined) return { type: "cancel", outcome: superseded };
  if (isCancelled(run, environment)) return { type: "cancel", outcome: CANCELLED_BEFORE_IT_BEGAN };
  const pointless = whyPointless(run, environment, observation.nowMs);
  if (pointless !== undefined) return { type: "cancel", outcome: { result: "Cancelled", ...pointless } };
  if (plan.type === "void") return { type: "cancel", outcome: voidOutcome(plan.why) };
  const notNow = whyNotNow(run, environment, observation.nowMs);
  switch (standing.type) {
    case "expired": {
      const message = `the plan expired with ${standing.given} of ${standing.required} approvals`;
      return { type: "cancel", outcome: { result: "Cancelled", reason: "PlanExpired", message } };
    }
    case "waiting":
      return waits(waitingText(run, standing), standing.expiresAtMs);
    case "approved":
      if (notNow !== undefined) {
        const wakeAtMs = Math.min(notNow.opensAtMs ?? standing.expiresAtMs, standing.expiresAtMs);
        return waits(approvedText(`the apply waits: ${notNow.message}`), wakeAtMs);
      }
      if (plan.type === "heldBack") return waits(approvedText(plan.why), standing.expiresAtMs);
      if (freePlaces > 0) return { type: "createPod" };
      return waits(
        approvedText("waits for a free place"),
        Math.min(observation.nowMs + LOOKS_FOR_PLACE_MS, standing.expiresAtMs),
      );
  }
}

function waitingText(
  { metadata, spec }: RunObservation["run"],
  { given, required }: { given: number; required: number },
) {
  const command = `kubectl terrarium approve ${spec.environment.name} -n ${metadata.namespace}`;
  return `waits for approval (${given} of ${required} given): ${command}`;
}

const waits = (message: string, wakeAtMs: number): RunDecision => ({
  type: "wait",
  phase: "AwaitingApproval",
  message,
  wakeAtMs,
});
