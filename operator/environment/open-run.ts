import type { ComponentState } from "../api/environment-status.ts";
import type { Run } from "../api/run.ts";
import { NEEDS_PERSON } from "../run/conditions.ts";
import { isWaitingForPeople } from "../run/phase.ts";
import type { Answer } from "./verdict.ts";
import { answerForWaiting } from "./waiting-run.ts";

function stateOf(run: Run): ComponentState {
  const started = run.status?.phase === "Starting" || run.status?.phase === "Planning";
  if (run.spec.operation === "Destroy") return "Destroying";
  if (run.status?.phase === "Applying") return "Applying";
  return started ? "Planning" : "Pending";
}

/** Why it goes on only with a person. */
export function stuckReason({ status }: Run): (typeof NEEDS_PERSON)[number] | undefined {
  const condition = status?.conditions?.find(({ type }) => type === "Succeeded");
  return NEEDS_PERSON.find((reason) => reason === condition?.reason);
}

/** A Run is under way: nothing else is started for its component. */
export function answerForOpenRun(run: Run): Answer {
  const stuck = stuckReason(run);
  if (stuck === undefined && isWaitingForPeople(run)) return answerForWaiting(run);
  return {
    state: stuck === undefined ? stateOf(run) : "Stalled",
    reason: stuck ?? "Progressing",
    message: run.status?.message ?? `Run ${run.metadata.name} is under way`,
  };
}
