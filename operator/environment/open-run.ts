import type { ComponentState } from "../api/environment-status.ts";
import type { Run } from "../api/run.ts";
import { isWaitingForPeople } from "../run/phase.ts";
import type { Answer } from "./verdict.ts";
import { answerForWaiting } from "./waiting-run.ts";

function stateOf(run: Run): ComponentState {
  const started = run.status?.phase === "Starting" || run.status?.phase === "Planning";
  if (run.spec.operation === "Destroy") return "Destroying";
  if (run.status?.phase === "Applying") return "Applying";
  return started ? "Planning" : "Pending";
}

/** A Run is under way: nothing else is started for its component. */
export function answerForOpenRun(run: Run): Answer {
  if (isWaitingForPeople(run)) return answerForWaiting(run);
  const condition = run.status?.conditions?.find(({ type }) => type === "Succeeded");
  const lost = condition?.reason === "ProofOfDeathMissing" || condition?.reason === "ForeignPod";
  return {
    state: lost ? "Stalled" : stateOf(run),
    reason: lost ? (condition.reason as "ProofOfDeathMissing" | "ForeignPod") : "Progressing",
    message: run.status?.message ?? `Run ${run.metadata.name} is under way`,
  };
}
